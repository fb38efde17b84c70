package filesyncer

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/trueup-go/trueup/state"
)

// walk goes back through the heads of a directory, from the present one on.
type walk struct {
	b       *Backend
	recent  []commit   // of the journal
	folded  state.Head // of the snapshot
	archive *archive
	file    int // of the archive, that commits are from; -1 if none
	commits []commit
	next    int64   // the serial of the next head
	floor   int64   // that of the last one
	above   *commit // the one before, nil at the start
	foreign error   // why the archive is not this State's
}

func (b *Backend) openWalk() (*walk, error) {
	// In the same order as in openViewAt, for the same reason.
	j, err := readJournal(b.path(journalFile), headOnly)
	if err != nil {
		return nil, err
	}
	s, err := openSnapshot(b.path(snapshotFile))
	if err != nil {
		return nil, err
	}
	folded := s.head()
	v, err := b.viewOf(s, b.path(journalFile), j.commits)
	if err != nil {
		return nil, err
	}
	defer v.close()
	w := &walk{b: b, recent: j.commits, folded: folded}
	w.next, w.floor = v.head.Serial, b.floor(v.head.Serial)
	return w, w.look()
}

// look looks which files there are, and how far back they lead.
func (w *walk) look() (err error) {
	w.file, w.commits = -1, nil
	if w.archive, err = w.b.openArchive(); err != nil {
		return err
	}
	w.floor = max(w.floor, min(w.archive.lowest(), max(1, w.folded.Serial)))
	return nil
}

// more tells whether there is another head.
func (w *walk) more() bool { return w.next > 0 && w.next >= w.floor }

// back returns the next head.
func (w *walk) back(ctx context.Context) (state.Head, error) {
	if err := ctx.Err(); err != nil {
		return state.Head{}, err
	}
	if w.foreign != nil {
		return state.Head{}, w.foreign
	}
	c, err := w.at(w.next)
	if err != nil {
		return state.Head{}, err
	}
	if w.above != nil && !w.above.base.IsZero() {
		if err := follows(c.Head.Serial, c.Head.Root, w.above); err != nil {
			return state.Head{}, w.archive.damaged(&CorruptError{File: w.archive.dir, Err: err})
		}
	}
	w.next, w.above = w.next-1, c
	return w.b.complete(c.Head), nil
}

// at finds a commit, or else, of a State that is there as a whole, the head.
func (w *walk) at(serial int64) (*commit, error) {
	if c := find(w.recent, serial); c != nil {
		return c, nil
	}
	c, err := w.archived(serial)
	if c != nil {
		return w.own(c), nil
	}
	if serial == w.folded.Serial {
		return &commit{Delta: state.Delta{Head: w.folded}}, nil
	}
	if !slices.Contains(w.archive.states, serial) {
		return nil, cmp.Or(err, w.archive.missing(serial))
	}
	s, err := w.archive.open(serial)
	if err != nil {
		return nil, err
	}
	defer s.close()
	return &commit{Delta: state.Delta{Head: s.head()}}, nil
}

// archived finds a commit in the archive's files, nil if it isn't there.
func (w *walk) archived(serial int64) (*commit, error) {
	i := upTo(w.archive.commits, serial)
	if i < 0 {
		return nil, nil
	}
	if i != w.file {
		commits, err := w.archive.read(i, headOnly)
		if err != nil {
			return nil, err
		}
		w.file, w.commits = i, commits
	}
	return find(w.commits, serial), nil
}

// own returns a commit of the archive; what is in the snapshot counts, if that is
// another one of the same serial.
func (w *walk) own(c *commit) *commit {
	if c.Head.Serial != w.folded.Serial || c.Head.Root == w.folded.Root {
		return c
	}
	w.foreign = w.archive.damaged(&CorruptError{
		File: w.archive.commitsFile(w.archive.commits[w.file]),
		Err:  fmt.Errorf("serial %d is another State here than in %s", w.folded.Serial, snapshotFile),
	})
	return &commit{Delta: state.Delta{Head: w.folded}}
}

// find returns the commit of a serial, nil if it isn't there.
func find(commits []commit, serial int64) *commit {
	if len(commits) == 0 || serial < commits[0].Head.Serial || serial > commits[len(commits)-1].Head.Serial {
		return nil
	}
	return &commits[serial-commits[0].Head.Serial]
}
