package filesyncer

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/trueup-go/trueup/state"
)

// Bounds of what is read to get at an earlier State, in bytes.
const (
	// A file of commits that is smaller is written anew with those that follow.
	smallCommits = 64 << 10
	// So many commits may follow a State before there is another one; or twice its
	// size, if that is more.
	manyCommits = 256 << 10
)

// folding is what a fold takes out of the journal.
type folding struct {
	text    []byte
	commits []commit // their heads
}

// from drops the commits before a serial.
func (f *folding) from(serial int64) {
	for len(f.commits) > 0 && f.commits[0].Head.Serial < serial {
		f.text, f.commits = f.text[f.commits[0].size:], f.commits[1:]
	}
}

// toFold reads the journal as far as the head: what comes after it, somebody adds
// who has lost the lease.
func (t *tx) toFold() (folding, error) {
	text, err := os.ReadFile(t.journal.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return folding{}, diskError("read", t.journal.path, err)
	}
	j, err := parseJournal(t.journal.path, text, headOnly)
	if err != nil {
		return folding{}, err
	}
	f := folding{commits: commitsUpTo(j.commits, t.head.Serial)}
	size := 0
	for i := range f.commits {
		size += f.commits[i].size
	}
	f.text = text[:size]
	return f, nil
}

// keep puts the journal's commits in the history, before they are folded. What a
// fold that didn't come to its end has put there is not put there again.
func (t *tx) keep(ctx context.Context) error {
	a, err := t.b.openArchive()
	if err != nil {
		return err
	}
	if t.b.opts.History < 0 {
		return t.takeAway(a.dir)
	}
	f, err := t.toFold()
	if err != nil || len(f.commits) == 0 {
		return err
	}
	end := a.end()
	if end.serial == t.head.Serial && end.root == t.head.Root {
		return nil
	}
	if next := find(f.commits, end.serial+1); end.serial == 0 || next == nil || next.base != end.root {
		if end, err = t.beginArchive(ctx, a); err != nil {
			return err
		}
	}
	f.from(end.serial + 1)
	_, err = t.replace(a.commitsFile(cmp.Or(end.file, end.serial+1)), func(w io.Writer) error {
		if _, err := w.Write(end.text); err != nil {
			return err
		}
		_, err := w.Write(f.text)
		return err
	})
	return err
}

// archiveEnd is how far an archive goes.
type archiveEnd struct {
	serial int64
	root   state.Checksum
	// file is the last file of commits, text what is in it, if others may be added
	// to it. Zero if not.
	file int64
	text []byte
}

// end returns how far the archive goes, as far as that can be read; else that
// there is nothing.
func (a *archive) end() archiveEnd {
	if len(a.commits) == 0 {
		return archiveEnd{}
	}
	last := a.commits[len(a.commits)-1]
	path := a.commitsFile(last)
	t, err := readTail(path)
	info, serr := os.Stat(path)
	if err != nil || serr != nil || t.size == 0 || t.size != info.Size() {
		return archiveEnd{}
	}
	head, err := t.last.head()
	if err != nil || head.Scope != a.scope || head.Serial < last {
		return archiveEnd{}
	}
	end := archiveEnd{serial: head.Serial, root: head.Root}
	if t.size < smallCommits && (len(a.states) == 0 || a.states[len(a.states)-1] < last) {
		if text, err := os.ReadFile(path); err == nil {
			end.file, end.text = last, text
		}
	}
	return end
}

// beginArchive begins the history, with the State that the journal is about to be
// folded into. What is there after that State is of another history than this
// one's, and goes; what is there before it stays.
func (t *tx) beginArchive(ctx context.Context, a *archive) (archiveEnd, error) {
	if err := t.b.disk.Mkdir(a.dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return archiveEnd{}, diskError("make", a.dir, err)
	}
	if err := t.b.disk.SyncDir(t.b.dir); err != nil {
		return archiveEnd{}, diskError("make", a.dir, err)
	}
	s, err := openSnapshot(t.b.path(snapshotFile))
	if err != nil {
		return archiveEnd{}, err
	}
	defer s.close()
	head := s.head()
	if err := t.dropFrom(a, head.Serial+1); err != nil || s == nil {
		return archiveEnd{}, err
	}
	_, err = t.replace(a.stateFile(head.Serial), func(w io.Writer) error { return encode(ctx, w, head, s.records()) })
	return archiveEnd{serial: head.Serial, root: head.Root}, err
}

// dropFrom removes what is in the archive from a serial on, so that it doesn't
// come back when the power fails.
func (t *tx) dropFrom(a *archive, serial int64) error {
	var paths []string
	for _, state := range a.states {
		if state >= serial {
			paths = append(paths, a.stateFile(state))
		}
	}
	for _, first := range a.commits {
		if first >= serial {
			paths = append(paths, a.commitsFile(first))
		}
	}
	if len(paths) == 0 {
		return nil
	}
	if err := t.takeAway(paths...); err != nil {
		return err
	}
	return diskError("remove", a.dir, t.b.disk.SyncDir(a.dir))
}

// tidyArchive adds the State that has just been folded to the archive, once many
// commits followed the last one there, and removes what nobody may ask for any
// more.
func (t *tx) tidyArchive() error {
	a, err := t.b.openArchive()
	if err != nil || len(a.commits) == 0 {
		return err
	}
	if t.isStateDue(a) {
		if err := t.addState(a); err != nil {
			return err
		}
	}
	base := upTo(a.states, t.b.floor(t.head.Serial))
	if base < 0 {
		return nil
	}
	var paths []string
	for _, state := range a.states[:base] { // before the commits that lead on from them
		paths = append(paths, a.stateFile(state))
	}
	for i, first := range a.commits[:len(a.commits)-1] {
		if a.commits[i+1] <= a.states[base]+1 {
			paths = append(paths, a.commitsFile(first))
		}
	}
	return t.takeAway(paths...)
}

// isStateDue tells whether more was committed since the last State of the archive
// than whoever wants a later one should have to read.
func (t *tx) isStateDue(a *archive) bool {
	var last, size int64
	if len(a.states) > 0 {
		last = a.states[len(a.states)-1]
	}
	for _, first := range a.commits {
		if info, err := os.Stat(a.commitsFile(first)); err == nil && first > last {
			size += info.Size()
		}
	}
	return size > max(manyCommits, 2*t.books.snapshot)
}

// addState copies the snapshot to the archive.
func (t *tx) addState(a *archive) error {
	f, err := os.Open(t.b.path(snapshotFile))
	if err != nil {
		return diskError("read", t.b.path(snapshotFile), err)
	}
	defer closeRead(f)
	_, err = t.replace(a.stateFile(t.head.Serial), func(w io.Writer) error { _, err := io.Copy(w, f); return err })
	return err
}

// takeAway removes files and directories. It goes by way of the work directory: a
// holder that lost its lease long ago, and goes on only now, must not remove what
// the next one has put there.
func (t *tx) takeAway(paths ...string) error {
	for _, path := range paths {
		hidden := filepath.Join(t.lease.work, "old-"+filepath.Base(path))
		if err := t.b.disk.Rename(path, hidden); err != nil {
			if _, serr := os.Lstat(path); errors.Is(serr, fs.ErrNotExist) {
				continue
			}
			return diskError("remove", path, err)
		}
		if err := t.b.disk.RemoveAll(hidden); err != nil {
			return diskError("remove", hidden, err)
		}
	}
	return nil
}
