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
//	history/301.jsonl     earlier commits, from serial 301 on, a line each
//	history/300.json      an earlier State, as of serial 300
//	lease-12/lease.jsonl  who writes, or wrote last: the twelfth lease
//	lease-12/work-…/      what the writer has not finished
//	digest.key            the key for digests of sensitive values, if any is needed
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
// neither now nor in an earlier State that is kept, it is written anew without
// them, as part of writing state.json. (What earlier States name is looked up once
// in a quarter of Options.History commits.)
//
// The files of the history are lines as in journal.jsonl, and States as in
// state.json.
//
// lease.jsonl begins with a line that says who took the lease and when. An empty
// line is added with each renewal, and in the end one that says when it was given
// up. The time of the file is the time of the last renewal.
//
// digest.key is a line: the checksum of the key's hex digits, a space, and those
// digits. It never changes. Without it nobody can tell a sensitive value that
// changed from one that didn't: should it be lost, and no copy be found, every
// resource with such a value counts as changed, once.
//
// The directory is made with mode 0700, files with 0600. A copy of the directory
// that is made while nobody writes is a backup; so is one of state.json,
// declared.jsonl and digest.key, to be put in an empty directory.
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
// Head reads the head of state.json and the last line of the journal, however long
// the history is. Declared notes once per handle where each declaration is, and
// reads those that are asked for.
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
//  1. The journal's commits go to the history: to a file of their own or, together
//     with what is in the last one, in the place of that, if it is small. The file
//     is written in the work directory and goes to the disk, rename gives it its
//     name, and the directory goes to the disk. From here on the commits are in two
//     places; after a crash here the next fold sees, by serial and root, that the
//     history has them, and adds only those that came since.
//  2. The State is written to a new file in the work directory and goes to the
//     disk. After a crash here the new file is removed by the next writer.
//  3. rename gives it the name state.json, and the directory goes to the disk.
//     Before the rename the old State and the journal are read, after it the new
//     State, of which readers know by its serial that it holds the journal.
//  4. The journal is moved to the work directory and removed. Should a crash leave
//     it, its commits are passed over for their serials; new ones follow from
//     them, and it is removed when they are folded.
//  5. If much was committed since the last State of the history, state.json is
//     copied there, the same way. Then what is not needed any more to read a State
//     that is kept is moved to the work directory and removed: States first, the
//     oldest first. What a crash leaves of it is below the lowest State from which
//     a reader can start, and nobody looks at it.
//  6. If declared.jsonl is to be written anew, that happens as with state.json. What
//     is left out is named by no record of a State that is kept.
//
// # History
//
// The State as of serial N is the highest one up to N that there is a file of,
// changed by the commits that follow it. There is another such file whenever the
// commits since the last one come to 256 KiB or to twice the size of state.json,
// whichever is more: so much, and what one fold adds at once, has to be read beside
// one State, and the copies take half as much space as the commits at most.
// Options.History says how many States are kept.
//
// Readers of the history read the journal first, state.json second and the history
// third. Commits go the other way, so each is found; serials tell those that are
// found twice. A file that is taken away meanwhile is of States that are not kept
// any more.
//
// A sync doesn't read the history, but for the end of its last file when it folds
// the journal. If that can't be read, or doesn't lead to the journal's commits,
// the history begins anew: with a copy of the State that the journal follows, and
// without anything of higher serials, which belongs to another course of things.
// So it is where there was none, in the directory of an older release or after
// somebody removed it. What is missing or damaged is a *CorruptError for those who
// ask for such States, and says what to do; it goes when it is old enough.
//
// # The digest key, and why there is one
//
// It is kept without a lease, by anybody at any time. It is written to a file with
// a name of its own, goes to the disk, and then gets the name digest.key as a
// second one (link), which fails if there is such a file: of several processes one
// gets it, and what has that name is whole and never changes. The directory goes
// to the disk before anybody is told of the key, whether he kept it or found it.
// What a crash leaves is a file with the other name, which the next writer removes;
// should that be one that is in use, its owner begins anew.
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
//
// # Unlocking, and why it is safe
//
// Unlock does nothing that the next holder of a lapsed lease doesn't: it takes the
// lease with the number after the one that it was told of, fences that holder off,
// and gives the lease up. So whoever was unlocked finds its lease gone, whatever
// it was about to do, and that nobody has the lease by then changes nothing for
// it. If somebody took the lease meanwhile, that number is taken, or is no longer
// the highest, and nothing happens. If Unlock dies on the way, its own lease says
// what is left to do.
package filesyncer
