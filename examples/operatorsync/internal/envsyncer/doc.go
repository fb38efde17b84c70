// Package envsyncer records the versions of a server's apps where operators look for
// them: in a folder of .env files, one for each app.
//
//	sidecar, err := filesyncer.New(filepath.Join(dir, envsyncer.Dir, "records"), scope, &filesyncer.Options{History: -1})
//	…
//	backend, err := envsyncer.New(dir, sidecar, nil)
//
// A .env file has a place for a version and for nothing else. What else a record is
// made of, and the lease, are a sidecar's: another backend, beside the files. But the
// version in the file counts. Whoever edits it, by hand or with git pull, has changed
// what is recorded:
//
//	example.com/
//	  matrix.example.com.env     TYPE=matrix-synapse
//	                             OPERATOR_SYNC_VERSION=4.0.0+v1.93.0 # managed by Abra
//	  .operatorsync/
//	    records/                 the sidecar
//	    unwritten.json           versions that a crash kept out of the files
//	    work-…/                  what a writer has not finished
//
// # Reading
//
// The State is the sidecar's, with the version of each file in the place of the one in
// the record. Where they differ, the record is that of the app as the file has it now;
// where the file has none, there is no record; where the sidecar has none, there is one
// with the ID that the app has on every container engine. So a sidecar that is lost
// costs what was pending, and orphans, and nothing else. The next writer commits the
// difference to the sidecar before anything else, and tells of it (Options.Edited). A
// reader sees the State as it is after that commit, so that a plan fits.
//
// The token is the serial and the root over all records, versions included: a digest of
// what was read.
//
// An app without a file is what the sidecar says, and so is one whose file can't be
// read, or has no TYPE.
//
// # Writing
//
// Before an act begins, the commit of its intent makes sure that the file can take the
// version: that it can be read, is not read-only, still says what was recorded, and stays
// what it is but for that one line. After the act, the commit notes the versions in unwritten.json, commits to the
// sidecar, changes the files, and takes the note away. The note counts once the sidecar
// is at the serial and root that it names: from then on whoever reads finds the version
// there if it is not in the file yet. So a crash loses nothing, at whatever instant; and
// a commit of several apps is of all or none.
//
// A file is replaced by rename, with its mode and, where that is allowed, its owner; a
// symbolic link stays, and the file that it leads to is replaced. If its version was
// changed since it was read, the commit fails and nothing is written.
//
// Everything that is renamed comes out of the writer's work directory, which the next
// one removes before it reads anything: who hangs, loses the lease, and goes on, finds
// nothing to rename. (Where a link leads to another disk the file is written there at
// last, and who hangs just then is not fenced off.)
//
// # Why a wrapper, and not a backend of its own
//
// The first version kept leases, records and pending work in files of its own: a second
// filesyncer. A lease that survives a hung process is the hardest part of any backend,
// and there is one that does.
package envsyncer
