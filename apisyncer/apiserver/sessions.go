package apiserver

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trueup-go/trueup/apisyncer/internal/wire"
	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// session is a lease that a client holds, from its Begin to its Close. When it is not
// heard of for sync.LeaseTTL it is closed.
type session struct {
	mu     sync.Mutex // one request of it at a time, but for renewals
	head   state.Head // as of its begin
	over   bool
	failed error // why it could not begin
	last   atomic.Pointer[time.Time]
	tx     atomic.Pointer[tusync.Tx] // nil before it has begun, and when it is over
}

// heard puts off the end of a session.
func (own *session) heard() {
	now := time.Now()
	own.last.Store(&now)
}

// sessions are those that are under way, and for a while those that were.
type sessions struct {
	opts   Options
	mu     sync.Mutex
	all    map[name]*session
	open   int
	closed bool
}

func newSessions(opts Options) *sessions { return &sessions{opts: opts, all: map[name]*session{}} }

// find returns a session, made if asked for. One that isn't there has lost its lease:
// this server has never heard of it, or has forgotten it.
func (s *sessions) find(n name, make bool) (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.all[n]
	switch {
	case found != nil:
		return found, nil
	case !make:
		return nil, tusync.ErrLeaseLost
	case s.closed:
		return nil, errClosing
	case s.open >= s.opts.MaxSessions:
		return nil, errBusy
	}
	found = &session{}
	s.all[n] = found
	s.open++
	return found, nil
}

// end closes a session that is locked. For a while its id is kept: a Begin that was
// sent twice, and comes late, is not to take the lease again.
func (s *sessions) end(ctx context.Context, n name, own *session) error {
	if own.over {
		return nil
	}
	tx := own.tx.Swap(nil)
	own.over = true
	s.mu.Lock()
	s.open--
	s.mu.Unlock()
	time.AfterFunc(s.opts.Keep, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.all, n)
	})
	if tx == nil {
		return nil
	}
	return (*tx).Close(ctx)
}

// check closes a session that was not heard of for too long, or looks again later.
func (s *sessions) check(n name, own *session) {
	again := func(after time.Duration) { time.AfterFunc(after, func() { s.check(n, own) }) }
	if !own.mu.TryLock() { // a request of it is under way
		again(tusync.LeaseTTL)
		return
	}
	defer own.mu.Unlock()
	left := tusync.LeaseTTL - time.Since(*own.last.Load())
	if left > 0 && !own.over {
		again(left)
		return
	}
	if err := s.end(context.Background(), n, own); err != nil {
		s.opts.Log.Error("close a session that was left", "scope", n.scope.String(), "error", err)
	}
}

// close ends all sessions. None begins after it.
func (s *sessions) close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	all := maps.Clone(s.all)
	s.mu.Unlock()
	var errs error
	for n, own := range all {
		own.mu.Lock()
		errs = errors.Join(errs, s.end(ctx, n, own))
		own.mu.Unlock()
	}
	return errs
}

func (s *Server) begin(x *exchange) error {
	n, err := x.name()
	if err != nil {
		return err
	}
	var asked wire.Begin
	if err := x.read(&asked); err != nil {
		return err
	}
	if len(asked.Owner) > maxOwner {
		return badRequest("an owner has at most %d bytes", maxOwner)
	}
	own, err := s.sessions.find(n, true)
	if err != nil {
		return err
	}
	head, err := s.sessions.begin(x, n, own, asked.Owner)
	if err != nil {
		return err
	}
	return x.write(wire.HeadOf(head))
}

const maxOwner = 8 << 10

// begin begins a session, unless it has begun. What failed once fails: the client has
// been told, and takes another id.
func (s *sessions) begin(x *exchange, n name, own *session, owner string) (state.Head, error) {
	own.mu.Lock()
	defer own.mu.Unlock()
	switch {
	case own.failed != nil:
		return own.head, own.failed
	case own.over:
		return own.head, tusync.ErrLeaseLost
	case own.tx.Load() != nil:
		return own.head, nil
	}
	ctx := context.WithoutCancel(x.Context()) // what has begun goes on after the request
	tx, head, err := x.backend.Begin(ctx, owner)
	if err != nil {
		own.failed = err
		_ = s.end(ctx, n, own) // there is no Tx to close
		return head, err
	}
	own.head = head
	own.heard()
	time.AfterFunc(tusync.LeaseTTL, func() { s.check(n, own) })
	own.tx.Store(&tx)
	return head, nil
}

// session returns the session of a request, locked; its unlock is the caller's.
func (s *Server) session(x *exchange) (n name, own *session, err error) {
	if n, err = x.name(); err != nil {
		return n, nil, err
	}
	if own, err = s.sessions.find(n, false); err != nil {
		return n, nil, err
	}
	own.mu.Lock()
	if own.tx.Load() == nil {
		own.mu.Unlock()
		return n, nil, tusync.ErrLeaseLost
	}
	own.heard()
	return n, own, nil
}

func (s *Server) commit(x *exchange) error {
	var asked wire.Commit
	if err := x.read(&asked); err != nil {
		return err
	}
	changes := make([]diff.Change, len(asked.Changes))
	for i := range asked.Changes {
		change, err := asked.Changes[i].Diff()
		if err != nil {
			return badRequest("change %d: %v", i, err)
		}
		changes[i] = change
	}
	head, err := s.commitOf(x, changes, asked.Delta)
	if err != nil {
		return err
	}
	return x.write(wire.HeadOf(head)) // with the session unlocked: it may take long
}

func (s *Server) commitOf(x *exchange, changes []diff.Change, delta state.Delta) (head state.Head, err error) {
	_, own, err := s.session(x)
	if err != nil {
		return head, err
	}
	defer own.mu.Unlock()
	defer own.heard()
	tx := *own.tx.Load()
	ctx := context.WithoutCancel(x.Context())
	if len(changes) > 0 {
		outcomes, err := tx.Apply(ctx, changes)
		if err != nil {
			return head, err
		}
		for i, outcome := range outcomes {
			if outcome.Err != nil {
				return head, tusync.SyncAPIErr{Resource: changes[i].Key().String(), Err: outcome.Err}
			}
		}
	}
	return tx.Commit(ctx, delta)
}

func (s *Server) renew(x *exchange) error {
	n, err := x.name()
	if err != nil {
		return err
	}
	own, err := s.sessions.find(n, false)
	if err != nil {
		return err
	}
	tx := own.tx.Load() // a Tx may be renewed while it commits
	if tx == nil {
		return tusync.ErrLeaseLost
	}
	until, err := (*tx).Renew(x.Context())
	if err != nil {
		return err
	}
	own.heard()
	return x.write(wire.Renewed{Until: until})
}

func (s *Server) closeSession(x *exchange) error {
	var asked wire.Conclusion
	if err := x.read(&asked); err != nil {
		return err
	}
	n, err := x.name()
	if err != nil {
		return err
	}
	// One that isn't here is closed, too: its Begin may come yet.
	own, err := s.sessions.find(n, true)
	if err != nil {
		return err
	}
	if err := s.sessions.conclude(context.WithoutCancel(x.Context()), n, own, &asked); err != nil && !errors.Is(err, tusync.ErrLeaseLost) {
		return err
	}
	x.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *sessions) conclude(ctx context.Context, n name, own *session, how *wire.Conclusion) error {
	own.mu.Lock()
	defer own.mu.Unlock()
	if tx := own.tx.Load(); tx != nil && how.Concluded {
		if concluder, ok := (*tx).(tusync.Concluder); ok {
			concluder.Conclude(how.Problem.Err())
		}
	}
	return s.end(ctx, n, own)
}
