package syncertest

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/trueup-go/trueup/diff"
	tusync "github.com/trueup-go/trueup/sync"
)

// trouble chooses what befalls a process.
func (w *walk) trouble(r *rand.Rand, p *program) {
	f := p.fate
	boundary := 1 + r.IntN(1+r.IntN(60))
	switch r.IntN(7) {
	case 0, 1:
		f.end = boundary
		w.note("  dies at boundary %d", boundary)
	case 2:
		f.turn = boundary
		f.at = func() {
			if err := w.steal(); err != nil {
				p.trace.complain("steal: %v", err)
			}
		}
		w.note("  its lease is taken at boundary %d", boundary)
	case 3:
		w.note("  commits fail")
		f.call = failingCalls(r, "Commit")
	case 4:
		w.note("  the backend fails")
		f.call = failingCalls(r, "Apply")
		seed := r.Uint64()
		f.store = func(change diff.Change) error {
			if diceOf(seed, change, false).IntN(3) == 0 {
				return errors.New("refused by the backend: " + string(configOf(change)))
			}
			return nil
		}
	default:
		w.note("  handlers fail")
		w.failingActs(r, p)
	}
}

// failingCalls fails one of the calls of that name, before or after it is carried
// out.
func failingCalls(r *rand.Rand, name string) func(string, bool) error {
	left, after := r.IntN(6), r.IntN(3) == 0
	errs := []error{errors.New("the store is out of order"), timeoutError{}}
	err, _ := pick(r, errs)
	return func(call string, done bool) error {
		if call != name || done != after {
			return nil
		}
		left--
		if left == -1 {
			return err
		}
		return nil
	}
}

// timeoutError is what a connection that broke leaves: it may be tried again.
type timeoutError struct{}

// Error implements error.
func (timeoutError) Error() string { return "timed out" }

// Retryable tells that the same may succeed later.
func (timeoutError) Retryable() bool { return true }

// failingActs fails acts in all ways in which they may fail.
func (w *walk) failingActs(r *rand.Rand, p *program) {
	seed, often := r.Uint64(), 2+r.IntN(4)
	var mu sync.Mutex
	throttled := map[string]bool{}
	p.fate.act = func(change diff.Change, done bool) error {
		dice := diceOf(seed, change, done)
		if dice.IntN(often) > 0 {
			return nil
		}
		_, creates := change.(*diff.Create)
		plain := fmt.Errorf("refused: %s", configOf(change))
		switch n := dice.IntN(6); {
		case n == 0 && dice.IntN(2) == 0:
			panic(plain)
		case n == 1 && !done:
			mu.Lock()
			defer mu.Unlock()
			name := string(change.Op()) + change.Key().String()
			if throttled[name] {
				return nil
			}
			throttled[name] = true
			return &tusync.ThrottledError{After: time.Millisecond}
		case n == 2 || creates && done:
			return fmt.Errorf("%w: %w", tusync.ErrUncertain, plain)
		case n == 3:
			return timeoutError{}
		}
		return plain
	}
	p.fate.half = func(change diff.Change) error {
		if diceOf(seed+1, change, true).IntN(2*often) == 0 {
			return fmt.Errorf("halfway: %s", configOf(change))
		}
		return nil
	}
}

// diceOf makes the random numbers of one act: the same in whatever order acts
// happen.
func diceOf(seed uint64, change diff.Change, done bool) *rand.Rand {
	hash := fnv.New64a()
	fmt.Fprint(hash, change.Key(), change.Op(), done)
	return rand.New(rand.NewPCG(seed, hash.Sum64()))
}
