package syncertest

import (
	"fmt"
	"slices"
	"sync"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// trace is what a process did, in order. It is safe for concurrent use.
type trace struct {
	mu      sync.Mutex
	clock   int
	acts    []*act
	open    map[diff.Change]*act
	serials []int64  // of its commits
	wrong   []string // what must not be, and was seen where it can't be returned
}

// act is one change that somebody began to carry out.
type act struct {
	key  state.Key
	op   diff.Op
	half bool // it deletes what was replaced
	// began and ended are by the trace's clock; ended is 0 if it didn't succeed.
	began, ended int
}

func newTrace() *trace { return &trace{open: map[diff.Change]*act{}} }

func (t *trace) begin(change diff.Change) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clock++
	a := &act{key: change.Key(), op: change.Op(), began: t.clock}
	if d, ok := change.(*diff.Delete); ok {
		a.half = d.Replaced
	}
	t.acts = append(t.acts, a)
	t.open[change] = a
}

func (t *trace) end(change diff.Change) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clock++
	if a := t.open[change]; a != nil {
		a.ended = t.clock
	}
	delete(t.open, change)
}

// committed notes a commit. One that is made twice counts once.
func (t *trace) committed(serial int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !slices.Contains(t.serials, serial) {
		t.serials = append(t.serials, serial)
	}
}

func (t *trace) complain(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wrong = append(t.wrong, fmt.Sprintf(format, args...))
}

// isOrdered checks that whatever began did so when all was done that it depends on:
// below are the keys below each that is declared, above those above each that is
// recorded.
func (t *trace) isOrdered(below, above map[state.Key][]state.Key) error {
	for _, a := range t.acts {
		before, deletes := below[a.key], a.op == diff.OpDelete
		if deletes {
			before = above[a.key]
		}
		if a.half {
			continue // the half of a replace has an order of its own
		}
		for _, key := range before {
			if !t.isDone(key, deletes, a.began) {
				return fmt.Errorf("order: the %s of %s began before all was done about %s", a.op, a.key, key)
			}
		}
	}
	return nil
}

// isDone tells whether all was done by then that was begun about a key: its delete,
// or what else was to be done but for a deploy. Of several attempts the last counts.
func (t *trace) isDone(key state.Key, deletes bool, then int) bool {
	done := true
	for _, b := range t.acts {
		if b.key != key || b.half || (b.op == diff.OpDelete) != deletes || b.op == diff.OpDeploy {
			continue
		}
		if b.began > then {
			return false
		}
		done = b.ended > 0 && b.ended < then
	}
	return done
}
