package filesyncer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

var _ tusync.Historian = (*Backend)(nil)

// History yields the heads of the States that are kept, newest first, the present
// one included: as many earlier ones as Options.History says, if there were so
// many since the history began. It reads as far as the iteration goes. What is
// missing or damaged is a *CorruptError; the State itself isn't concerned.
func (b *Backend) History(ctx context.Context) iter.Seq2[state.Head, error] {
	return func(yield func(state.Head, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(state.Head{}, err)
			return
		}
		w, err := reread(b.openWalk)
		if err != nil {
			yield(state.Head{}, err)
			return
		}
		for tries := 3; w.more(); {
			head, err := w.back(ctx)
			if errors.Is(err, fs.ErrNotExist) && tries > 0 { // a writer has put another in its place, or given it up
				tries--
				if err = w.look(); err == nil {
					continue
				}
			}
			if !yield(head, err) || err != nil {
				return
			}
		}
	}
}

// StateAt returns the head of an earlier State, or of the present one, and its
// records, in key order. If it isn't kept, the error is ErrNoState. It reads one
// whole State and what was committed after it; the latter, which is bounded, it
// holds in memory.
func (b *Backend) StateAt(ctx context.Context, serial int64) (state.Head, iter.Seq2[state.Record, error], error) {
	if err := ctx.Err(); err != nil {
		return state.Head{}, nil, err
	}
	open := func() (*view, error) { return reread(func() (*view, error) { return b.openViewAt(serial) }) }
	v, err := open()
	if err != nil {
		return state.Head{}, nil, err
	}
	defer v.close()
	return v.head, recordsOf(ctx, open), nil
}

// floor returns the lowest serial that is kept while one is the present one.
func (b *Backend) floor(present int64) int64 {
	if b.opts.History < 0 {
		return present
	}
	return max(1, present-int64(b.opts.History))
}

// openViewAt opens the State as of a serial.
func (b *Backend) openViewAt(serial int64) (*view, error) {
	// The journal first, the snapshot second, the history third: what is folded
	// meanwhile is found in the later ones.
	j, err := readJournal(b.path(journalFile), wholeCommit)
	if err != nil {
		return nil, err
	}
	s, err := openSnapshot(b.path(snapshotFile))
	if err != nil {
		return nil, err
	}
	present := s.head().Serial
	if n := len(j.commits); n > 0 {
		present = max(present, j.commits[n-1].Head.Serial)
	}
	switch {
	case serial < b.floor(present) || serial > present || serial < 1:
		s.close()
		return nil, b.noState(serial)
	case serial < s.head().Serial:
		s.close()
		return b.openEarlier(serial)
	}
	return b.viewOf(s, b.path(journalFile), commitsUpTo(j.commits, serial))
}

// openEarlier opens a State that was folded: the last one before it that there is
// a file of, and the commits since.
func (b *Backend) openEarlier(serial int64) (v *view, err error) {
	a, err := b.openArchive()
	if err != nil {
		return nil, err
	}
	if serial < a.lowest() {
		return nil, b.noState(serial)
	}
	v = &view{overlay: overlay{}}
	if i := upTo(a.states, serial); i >= 0 {
		if v.snapshot, err = a.open(a.states[i]); err != nil {
			return nil, err
		}
		v.head = v.snapshot.head()
	}
	if err := v.follow(a, serial); err != nil {
		v.close()
		return nil, err
	}
	v.head = b.complete(v.head)
	return v, nil
}

// follow adds the archive's commits up to a serial.
func (v *view) follow(a *archive, serial int64) error {
	for i := max(0, upTo(a.commits, v.head.Serial+1)); v.head.Serial < serial; i++ {
		if i == len(a.commits) || a.commits[i] > serial {
			return a.missing(v.head.Serial + 1)
		}
		commits, err := a.read(i, wholeCommit)
		if err == nil {
			err = v.join(a.commitsFile(a.commits[i]), commitsUpTo(commits, serial), a.scope)
		}
		if err != nil {
			return a.damaged(err)
		}
	}
	return nil
}

func (b *Backend) noState(serial int64) error {
	return fmt.Errorf("serial %d of %s: %w", serial, b.scope, tusync.ErrNoState)
}
