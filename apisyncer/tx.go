package apisyncer

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trueup-go/trueup/apisyncer/internal/wire"
	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// tx is a session on the server.
type tx struct {
	b      *Backend
	path   string
	closed atomic.Bool
	// staged are the changes that go along with the next commit.
	staged []wire.Change

	mu         sync.Mutex
	conclusion wire.Conclusion
}

// Begin begins a session. Sent twice it is the same one.
func (b *Backend) Begin(ctx context.Context, owner string) (tusync.Tx, state.Head, error) {
	t := &tx{b: b, path: "sessions/" + rand.Text()}
	var head wire.Head
	if err := b.call(ctx, request{method: http.MethodPost, path: t.path, body: wire.Begin{Owner: owner}}, &head); err != nil {
		var unanswered *Error
		if errors.As(err, &unanswered) { // it may have begun: it would be in the way of the next
			go t.abandon(context.WithoutCancel(ctx))
		}
		return nil, state.Head{}, b.failed("take the lease", err)
	}
	return t, head.State(), nil
}

// abandon closes a session of which nobody knows whether it has begun.
func (t *tx) abandon(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, tusync.LeaseTTL)
	defer cancel()
	_ = t.Close(ctx) // else it lapses
}

// Apply stages changes for the next commit: what the server's backend does with them it
// does then.
func (t *tx) Apply(ctx context.Context, changes []diff.Change) ([]tusync.Outcome, error) {
	if t.closed.Load() {
		return nil, errClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	outcomes := make([]tusync.Outcome, len(changes))
	staged := make([]wire.Change, len(changes))
	for i, change := range changes {
		own, err := wire.ChangeOf(change)
		if err != nil {
			return nil, err
		}
		staged[i], outcomes[i].ID = own, own.ID
	}
	t.staged = append(t.staged, staged...)
	return outcomes, nil
}

var errClosed = errors.New("the session is closed")

// Commit records the delta, with what was applied since the last one.
func (t *tx) Commit(ctx context.Context, delta state.Delta) (state.Head, error) {
	if t.closed.Load() {
		return state.Head{}, errClosed
	}
	var head wire.Head
	err := t.b.call(ctx, request{method: http.MethodPost, path: t.path + "/commits", body: wire.Commit{Changes: t.staged, Delta: delta}}, &head)
	if err != nil {
		return state.Head{}, t.b.failed(fmt.Sprintf("commit serial %d", delta.Head.Serial), err)
	}
	t.staged = nil
	return head.State(), nil
}

// Renew prolongs the lease.
func (t *tx) Renew(ctx context.Context) (time.Time, error) {
	if t.closed.Load() {
		return time.Time{}, errClosed
	}
	var renewed wire.Renewed
	if err := t.b.call(ctx, request{method: http.MethodPost, path: t.path + "/renewal"}, &renewed); err != nil {
		return time.Time{}, t.b.failed("renew the lease", err)
	}
	return renewed.Until, nil
}

// Conclude notes how the run ended, for Close.
func (t *tx) Conclude(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.conclusion = wire.Conclusion{Concluded: true, Problem: wire.ProblemOf(err)}
}

// Close ends the session.
func (t *tx) Close(ctx context.Context) error {
	t.closed.Store(true)
	t.mu.Lock()
	defer t.mu.Unlock()
	err := t.b.call(ctx, request{method: http.MethodDelete, path: t.path, body: t.conclusion}, nil)
	return t.b.failed("give up the lease", err)
}
