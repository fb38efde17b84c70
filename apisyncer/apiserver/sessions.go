package apiserver

import (
	"context"
	"errors"
	"net/http"
	stdsync "sync"
	"sync/atomic"
	"time"

	"github.com/trueup-go/trueup/apisyncer/internal/wire"
	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// session is a lease that a client holds, from its Begin to its Close. When it is not
// heard of for sync.LeaseTTL it is closed.
type session struct {
	mu    stdsync.Mutex // one request of it at a time, but for renewals
	head  state.Head    // as of its begin
	over  bool
	timer *time.Timer             // set before tx
	tx    atomic.Pointer[sync.Tx] // nil before it has begun, and when it is over
}

// sessions are those that are under way, and for a while those that were.
type sessions struct {
	opts Options
	mu   stdsync.Mutex
	all  map[name]*session
	open int
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
		return nil, sync.ErrLeaseLost
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
	if own.timer != nil {
		own.timer.Stop()
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

// close ends all sessions.
func (s *sessions) close(ctx context.Context) error {
	s.mu.Lock()
	all := make(map[name]*session, len(s.all))
	for n, own := range s.all {
		all[n] = own
	}
	s.mu.Unlock()
	var errs error
	for n, own := range all {
		own.mu.Lock()
		errs = errors.Join(errs, s.end(ctx, n, own))
		own.mu.Unlock()
	}
	return errs
}

// heard puts off the end of a session.
func (own *session) heard() {
	if own.timer != nil {
		own.timer.Reset(sync.LeaseTTL)
	}
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
	own, err := s.sessions.find(n, true)
	if err != nil {
		return err
	}
	own.mu.Lock()
	defer own.mu.Unlock()
	switch {
	case own.over:
		return sync.ErrLeaseLost
	case own.tx.Load() == nil:
		// It is not the request's context: what has begun goes on after it.
		tx, head, err := x.backend.Begin(context.WithoutCancel(x.Context()), asked.Owner)
		if err != nil {
			s.sessions.forget(n, own)
			return err
		}
		own.head = head
		own.timer = time.AfterFunc(sync.LeaseTTL, func() {
			own.mu.Lock()
			defer own.mu.Unlock()
			if err := s.sessions.end(context.Background(), n, own); err != nil {
				s.opts.Log.Error("close a session that was left", "scope", n.scope.String(), "error", err)
			}
		})
		own.tx.Store(&tx)
	}
	return x.write(wire.HeadOf(own.head))
}

// forget forgets a session that has not begun.
func (s *sessions) forget(n name, own *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all[n] == own {
		delete(s.all, n)
		s.open--
	}
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
		return n, nil, sync.ErrLeaseLost
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
	_, own, err := s.session(x)
	if err != nil {
		return err
	}
	defer own.mu.Unlock()
	tx := *own.tx.Load()
	ctx := context.WithoutCancel(x.Context())
	if len(changes) > 0 {
		outcomes, err := tx.Apply(ctx, changes)
		if err != nil {
			return err
		}
		for i, outcome := range outcomes {
			if outcome.Err != nil {
				return sync.SyncAPIErr{Resource: changes[i].Key().String(), Err: outcome.Err}
			}
		}
	}
	head, err := tx.Commit(ctx, asked.Delta)
	if err != nil {
		return err
	}
	own.heard()
	return x.write(wire.HeadOf(head))
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
		return sync.ErrLeaseLost
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
	own, err := s.sessions.find(n, false)
	if err == nil {
		own.mu.Lock()
		defer own.mu.Unlock()
		if tx := own.tx.Load(); tx != nil && asked.Concluded {
			if concluder, ok := (*tx).(sync.Concluder); ok {
				concluder.Conclude(asked.Problem.Err())
			}
		}
		err = s.sessions.end(context.WithoutCancel(x.Context()), n, own)
	}
	if err != nil && !errors.Is(err, sync.ErrLeaseLost) {
		return err
	}
	x.w.WriteHeader(http.StatusNoContent)
	return nil
}
