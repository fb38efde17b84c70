// Package filesyncer records a scope in one directory: the backend that needs no
// server.
//
//	backend, err := filesyncer.New(".trueup", state.Scope{Org: "acme", App: "shop"}, nil)
//	…
//	engine, err := sync.New(backend, kinds, nil)
//
// Everything in the directory is text that can be read, compared and copied. One
// directory holds one scope; any number of processes may read it, one at a time
// writes. It works for 100,000 resources, on systems with flock (Linux, macOS,
// the BSDs); elsewhere New returns errors.ErrUnsupported.
//
// # The directory
//
//	state.json            the State as of one serial, a record a line
//	journal.jsonl         the commits since, a line each; often there is none
//	declared.jsonl        what is declared, by checksum, a line each
//	lease-12/lease.jsonl  who writes, or wrote last: the twelfth lease
//	lease-12/work-…/      what the writer has not finished
//	.gitignore            *
//
// state.json is as state.Encoder writes it, with a checksum for each record and a
// root over all. A State of less than 1 MiB is written anew whenever a
// transaction closes, so that state.json is all there is to look at. A larger one
// is, once the journal is half its size.
//
// A line of journal.jsonl is
//
//	{"sum":"sha256:…","base":"sha256:…","delta":{"head":{…},"records":[…],"dropped":[…]}}
//
// where delta is a state.Delta without its declarations, base is the root of the
// State that it was made on (empty for none), and sum is the checksum of all that
// follows its own comma.
//
// A line of declared.jsonl is a checksum, a space, and the canonical JSON of a
// state.Resource, of which it is the checksum. Lines are in no order. When more
// than half of the file is declarations that no record and no pending work names,
// it is written anew without them, as part of writing state.json.
//
// lease.jsonl begins with a line that says who took the lease and when. An empty
// line is added with each renewal, and in the end one that says when it was given
// up. The time of the file is the time of the last renewal.
//
// The directory is made with mode 0700, files with 0600. A copy of the directory
// that is made while nobody writes is a backup; so is one of state.json and
// declared.jsonl.
//
// # Reading
//
// A reader takes no lock and makes nothing, not even the directory. It reads the
// journal first and opens state.json second. Both keep their content for as long
// as they are open, as files are replaced and not overwritten; and whatever
// happens between the two openings, state.json is then at least as new as the
// journal's beginning. So the State is state.json's, changed by those commits of
// the journal that have a higher serial. If there are such commits, the first
// must have state.json's serial plus one and its root as base, and each must
// follow from the one before.
//
// Head reads the head of state.json and the last line of the journal. Declared
// notes once per handle where each declaration is, and reads those that are asked
// for.
//
// # Committing, and why a crash does no harm
//
// A commit is two appends, in this order:
//
//  1. The declarations that are not there yet go to declared.jsonl, and to the
//     disk (fsync). After a crash here there are declarations that no record
//     names. Nobody looks for them, and some day they are collected as garbage.
//  2. The line goes to journal.jsonl, and to the disk. That is the commit. A line
//     that a crash has cut off has no newline, or has holes where the data of the
//     file never reached the disk, which read as NUL: such a last line is passed
//     over by readers and cut off by the next writer. Its declarations are there,
//     since they came first.
//
// A file that isn't there yet is made in the work directory with its first
// content, put in its place with rename, and the directory goes to the disk: it
// is there with that content or not at all.
//
// An append that fails is cut off again. If even that fails, nothing more is
// committed in that transaction.
//
// A last line that is whole and doesn't fit its checksum isn't a crash's doing.
// It is a *CorruptError, as is any such line before: whoever was told of that
// commit may have acted on it, so it is not passed over.
//
// # Folding the journal, and why a crash does no harm
//
//  1. The State is written to a new file in the work directory and goes to the
//     disk. After a crash here the new file is removed by the next writer.
//  2. rename gives it the name state.json, and the directory goes to the disk.
//     Before the rename the old State and the journal are read, after it the new
//     State, of which readers know by its serial that it holds the journal.
//  3. The journal is moved to the work directory and removed. Should a crash leave
//     it, its commits are passed over for their serials; new ones follow from
//     them, and it is removed when they are folded.
//  4. If declared.jsonl is to be written anew, that happens the same way. What is
//     left out is named by no record.
//
// # The lease
//
// The lease is a directory, lease-N. To take it, a process makes a directory with
// everything in it, and renames it to the number after the highest: of several
// only one can, as rename doesn't replace a directory that isn't empty. The
// directory with the highest number stays when the lease is given up, so numbers
// only grow.
//
// The holder has a lock of the kernel's (flock) on its lease.jsonl, which the
// kernel gives back when the process ends, however it ends. So a holder's death
// shows at once. One that hangs without dying loses the lease when it has not
// renewed it for sync.LeaseTTL, by the clock of the file system. (Where a file
// system has no such locks, a dead holder is like one that hangs.) A clock that
// jumps ahead can cost a holder its lease; it can't make two of them.
//
// There is no lock that is held for the length of a commit, on purpose: a process
// that is stopped in the middle of one, by Ctrl-Z or a debugger, would keep it,
// and with it everybody else. In its place, a holder that went on after losing
// the lease finds itself fenced off, whatever it was about to do:
//
//   - To rename something into place, it must be in its work directory. The next
//     holder removes that directory before it reads anything.
//   - What it appends goes to files that it has open. If it isn't known to be dead,
//     the next holder replaces each of them, so that they have no name any more.
//     Until that is done, its own lease says so: should it die meanwhile, the one
//     after it knows what is left to do.
//   - It looks, after each append, whether it still has the lease. If not, and the
//     line didn't get into the next holder's files, the commit failed with
//     sync.ErrLeaseLost.
//
// One thing can't be known in such a case: if a process hangs between the append
// and that look for so long that the next holder has both found the line and
// committed something on top of it, the process gets sync.ErrLeaseLost although
// the commit counts. As after a crash, the next plan tells what is there.
package filesyncer
