package syncertest

import (
	"errors"
	"sync"

	"github.com/trueup-go/trueup/diff"
)

// fate is what befalls one process that syncs: which of its calls fail, and where
// it ends. It is asked at every boundary: before and after each call of the
// backend, and before and after each act. The zero fate is a calm one. It is safe
// for concurrent use.
type fate struct {
	// end is the boundary at which the process dies, as if it had been killed: from
	// there on nothing that it does has an effect. 0: it lives.
	end int
	// at is called once, when the boundary turn is passed.
	turn int
	at   func()
	// call fails a call of the backend by its name: before it is carried out, or when
	// it was and only the answer is lost. Nil fails none.
	call func(name string, done bool) error
	// act fails an act of a Handler or Deployer; half fails a create that has made
	// something; store fails a change that the backend is to carry out. Nil fails
	// none.
	act   func(change diff.Change, done bool) error
	half  func(change diff.Change) error
	store func(change diff.Change) error

	mu     sync.Mutex
	passed int
	dead   bool
}

// errDead is what a dead process gets to see. Nobody hears of it.
var errDead = errors.New("the process is dead")

// pass passes a boundary. The error is errDead if the process doesn't live any
// more.
func (f *fate) pass() error {
	f.mu.Lock()
	f.passed++
	f.dead = f.dead || f.passed == f.end
	dead, turns := f.dead, f.passed == f.turn
	f.mu.Unlock()
	if dead {
		return errDead
	}
	if turns && f.at != nil {
		f.at()
	}
	return nil
}

// isDead tells whether the process has died.
func (f *fate) isDead() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dead
}

// calls passes the boundary before a call of the backend, or after it.
func (f *fate) calls(name string, done bool) error {
	if err := f.pass(); err != nil || f.call == nil {
		return err
	}
	return f.call(name, done)
}

// acts passes the boundary before an act, or after it.
func (f *fate) acts(change diff.Change, done bool) error {
	if err := f.pass(); err != nil || f.act == nil {
		return err
	}
	return f.act(change, done)
}
