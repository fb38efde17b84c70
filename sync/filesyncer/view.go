package filesyncer

import (
	"fmt"
	"iter"
	"maps"
	"path/filepath"
	"slices"

	"github.com/trueup-go/trueup/state"
)

// view is the State as of one serial: a snapshot, and what the journal adds.
type view struct {
	snapshot *snapshot // nil if there is none
	head     state.Head
	overlay  overlay
}

// overlay is what commits changed: the records as they are now, nil for those
// that are gone.
type overlay map[state.Key]*state.Record

// add puts a commit on top.
func (o overlay) add(d *state.Delta) {
	for i := range d.Records {
		o[d.Records[i].Key] = &d.Records[i]
	}
	for _, key := range d.Dropped {
		o[key] = nil
	}
}

// reread calls read again when it fails: what it reads may have been changed
// meanwhile. A file that is really damaged is so every time.
func reread[T any](read func() (T, error)) (result T, err error) {
	for range 3 {
		if result, err = read(); err == nil {
			return result, nil
		}
	}
	return result, err
}

// openView reads the journal and opens the snapshot.
func (b *Backend) openView() (*view, error) { return reread(b.openViewOnce) }

func (b *Backend) openViewOnce() (*view, error) {
	// The journal first: a snapshot that is opened later holds at least what the
	// journal was missing, and what both hold is skipped.
	j, err := readJournal(b.path(journalFile), wholeCommit)
	if err != nil {
		return nil, err
	}
	s, err := openSnapshot(b.path(snapshotFile))
	if err != nil {
		return nil, err
	}
	return b.viewOf(s, b.path(journalFile), j.commits)
}

// viewOf returns the view of a snapshot, which it takes over, and of the commits
// in a file that follow it.
func (b *Backend) viewOf(s *snapshot, path string, commits []commit) (*view, error) {
	v := &view{snapshot: s, head: s.head(), overlay: overlay{}}
	if err := v.join(path, commits, b.scope); err != nil {
		s.close()
		return nil, err
	}
	v.head = b.complete(v.head)
	return v, nil
}

// join adds the commits of a file that are not in the snapshot.
func (v *view) join(path string, commits []commit, scope state.Scope) error {
	if v.snapshot != nil && v.head.Scope != scope {
		return &ScopeError{Dir: filepath.Dir(path), Want: scope, Got: v.head.Scope}
	}
	for i := range commits {
		c := &commits[i]
		var err error
		switch {
		case c.Head.Scope != scope:
			return &ScopeError{Dir: filepath.Dir(path), Want: scope, Got: c.Head.Scope}
		case c.Head.Serial < v.head.Serial:
		case c.Head.Serial == v.head.Serial:
			if c.Head.Root != v.head.Root {
				err = fmt.Errorf("serial %d is another State here than in %s", c.Head.Serial, filepath.Base(v.snapshot.file.Name()))
			}
		default:
			err = follows(v.head.Serial, v.head.Root, c)
			v.head = c.Head
			v.overlay.add(&c.Delta)
		}
		if err != nil {
			return &CorruptError{File: path, Line: i + 1, Err: err}
		}
	}
	return nil
}

// records yields the records in key order, once.
func (v *view) records() iter.Seq2[state.Record, error] {
	return merge(v.snapshot.records(), v.overlay)
}

func (v *view) close() { v.snapshot.close() }

// merge yields base, in key order, as the overlay changes it.
func merge(base iter.Seq2[state.Record, error], over overlay) iter.Seq2[state.Record, error] {
	if len(over) == 0 {
		return base
	}
	return func(yield func(state.Record, error) bool) {
		keys := slices.SortedFunc(maps.Keys(over), state.Key.Compare)
		// upTo yields the overlay's records before a key, and tells whether to go on.
		upTo := func(isBefore func(state.Key) bool) bool {
			for len(keys) > 0 && isBefore(keys[0]) {
				record := over[keys[0]]
				keys = keys[1:]
				if record != nil && !yield(*record, nil) {
					return false
				}
			}
			return true
		}
		for record, err := range base {
			if err != nil {
				yield(state.Record{}, err)
				return
			}
			if !upTo(func(key state.Key) bool { return key.Compare(record.Key) < 0 }) {
				return
			}
			if len(keys) > 0 && keys[0] == record.Key {
				continue // the overlay's comes next, or it is gone
			}
			if !yield(record, nil) {
				return
			}
		}
		upTo(func(state.Key) bool { return true })
	}
}

// readHead reads the head alone.
func (b *Backend) readHead() (state.Head, error) { return reread(b.readHeadOnce) }

func (b *Backend) readHeadOnce() (state.Head, error) {
	// In the same order as in openViewOnce, for the same reason.
	t, err := readTail(b.path(journalFile))
	if err != nil {
		return state.Head{}, err
	}
	s, err := openSnapshot(b.path(snapshotFile))
	if err != nil {
		return state.Head{}, err
	}
	defer s.close()
	head := s.head()
	if len(t.last.delta) > 0 {
		last, err := t.last.head()
		if err != nil {
			return state.Head{}, damaged(b.path(journalFile), 0, err)
		}
		if last.Serial > head.Serial {
			head = last
		}
	}
	if head.Serial > 0 && head.Scope != b.scope {
		return state.Head{}, &ScopeError{Dir: b.dir, Want: b.scope, Got: head.Scope}
	}
	return b.complete(head), nil
}

// complete gives a head what isn't stored.
func (b *Backend) complete(head state.Head) state.Head {
	if head.Serial == 0 {
		return state.Head{Version: state.DefaultStateVersion, Scope: b.scope, Token: "0"}
	}
	head.Token = state.Token(fmt.Sprintf("%d %s", head.Serial, head.Root))
	return head
}
