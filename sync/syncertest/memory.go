package syncertest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// Memory is a Backend that records in the memory of the process: for tests, and
// as an example of what a Backend is. It keeps every promise but the one to
// outlive the process. It is safe for concurrent use.
type Memory struct{ store *memoryStore }

var _ tusync.Backend = (*Memory)(nil)

// memoryStore is what the handles of one Memory share.
type memoryStore struct {
	scope state.Scope

	mu       sync.Mutex
	head     state.Head
	records  []state.Record // never changed, only replaced
	declared map[state.Checksum]state.Resource
	last     state.Checksum // of the delta that was committed last
	lease    *memoryTx      // nil if nobody has it
}

// NewMemory returns an empty store for a scope.
func NewMemory(scope state.Scope) *Memory {
	return &Memory{store: &memoryStore{
		scope:    scope,
		head:     state.Head{Version: state.DefaultStateVersion, Scope: scope, Token: "0"},
		declared: map[state.Checksum]state.Resource{},
	}}
}

// Reopen returns another handle on the same store, as another process would
// have it.
func (m *Memory) Reopen() *Memory { return &Memory{store: m.store} }

// Lapse makes the lease, if anybody has it, look as if it had not been renewed
// for sync.LeaseTTL.
func (m *Memory) Lapse() {
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	if m.store.lease != nil {
		m.store.lease.expires = time.Now().Add(-time.Nanosecond)
	}
}

// Scope returns whose State it records.
func (m *Memory) Scope() state.Scope { return m.store.scope }

// Head returns the State's head.
func (m *Memory) Head(ctx context.Context) (state.Head, error) {
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	return m.store.head, ctx.Err()
}

// Records yields the records in key order.
func (m *Memory) Records(ctx context.Context) iter.Seq2[state.Record, error] {
	return func(yield func(state.Record, error) bool) {
		m.store.mu.Lock()
		records := m.store.records
		m.store.mu.Unlock()
		if err := ctx.Err(); err != nil {
			yield(state.Record{}, err)
			return
		}
		for i := range records {
			if !yield(records[i], nil) {
				return
			}
		}
	}
}

// Declared returns the declarations with these checksums.
func (m *Memory) Declared(ctx context.Context, sums []state.Checksum) (map[state.Checksum]state.Resource, error) {
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	found := make(map[state.Checksum]state.Resource, len(sums))
	for _, sum := range sums {
		if resource, ok := m.store.declared[sum]; ok {
			found[sum] = resource
		}
	}
	return found, ctx.Err()
}

// Begin takes the lease.
func (m *Memory) Begin(ctx context.Context, owner string) (tusync.Tx, state.Head, error) {
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, state.Head{}, err
	}
	now := time.Now()
	if held := m.store.lease; held != nil && now.Before(held.expires) {
		return nil, state.Head{}, &tusync.LockedError{Scope: m.store.scope, Owner: held.owner, Since: held.since, Expires: held.expires}
	}
	tx := &memoryTx{store: m.store, owner: owner, since: now, expires: now.Add(tusync.LeaseTTL)}
	m.store.lease = tx
	return tx, m.store.head, nil
}

// memoryTx is a lease, and the right to write that comes with it.
type memoryTx struct {
	store          *memoryStore
	owner          string
	since, expires time.Time
	closed         bool
}

// check returns why nothing can be done. The store is locked.
func (tx *memoryTx) check(ctx context.Context) error {
	switch {
	case tx.closed:
		return errors.New("the transaction is closed")
	case tx.store.lease != tx:
		return tusync.ErrLeaseLost
	}
	return ctx.Err()
}

// Apply accepts every change: the record that comes with the commit is all that
// is stored of it.
func (tx *memoryTx) Apply(ctx context.Context, changes []diff.Change) ([]tusync.Outcome, error) {
	tx.store.mu.Lock()
	defer tx.store.mu.Unlock()
	if err := tx.check(ctx); err != nil {
		return nil, err
	}
	outcomes := make([]tusync.Outcome, len(changes))
	for i, change := range changes {
		switch c := change.(type) {
		case *diff.Create:
			outcomes[i].ID = c.ID
		case *diff.Update, *diff.Delete:
		default:
			return nil, fmt.Errorf("a change of type %T can't be applied", change)
		}
	}
	return outcomes, nil
}

// Commit records the delta.
func (tx *memoryTx) Commit(ctx context.Context, delta state.Delta) (state.Head, error) {
	tx.store.mu.Lock()
	defer tx.store.mu.Unlock()
	if err := tx.check(ctx); err != nil {
		return state.Head{}, err
	}
	head, err := tx.store.commit(&delta)
	if err != nil {
		return state.Head{}, fmt.Errorf("commit serial %d of %s: %w", delta.Head.Serial, tx.store.scope, err)
	}
	return head, nil
}

func (s *memoryStore) commit(delta *state.Delta) (state.Head, error) {
	text, err := delta.MarshalJSON()
	if err != nil {
		return state.Head{}, err
	}
	sum := state.Sum(text)
	switch serial := delta.Head.Serial; {
	case serial == s.head.Serial && sum == s.last:
		return s.head, nil
	case serial != s.head.Serial+1:
		return state.Head{}, &tusync.StaleError{PlannedSerial: serial - 1, Serial: s.head.Serial, Moved: []string{fmt.Sprintf("the next serial is %d", s.head.Serial+1)}}
	case delta.Head.Scope != s.scope:
		return state.Head{}, fmt.Errorf("the delta is one of %s", delta.Head.Scope)
	}
	records, err := delta.Apply(s.records)
	if err != nil {
		return state.Head{}, err
	}
	declared := make(map[state.Checksum]state.Resource, len(delta.Declared))
	for _, resource := range delta.Declared {
		sum, err := resource.Checksum()
		if err != nil {
			return state.Head{}, err
		}
		declared[sum] = resource
	}
	// Nothing can fail from here on.
	for sum, resource := range declared {
		s.declared[sum] = resource
	}
	s.records, s.head, s.last = slices.Clip(records), delta.Head, sum
	s.head.Token = state.Token(fmt.Sprintf("%d %s", s.head.Serial, s.head.Root))
	return s.head, nil
}

// Renew prolongs the lease.
func (tx *memoryTx) Renew(ctx context.Context) (time.Time, error) {
	tx.store.mu.Lock()
	defer tx.store.mu.Unlock()
	if err := tx.check(ctx); err != nil {
		return time.Time{}, err
	}
	tx.expires = time.Now().Add(tusync.LeaseTTL)
	return tx.expires, nil
}

// Close gives up the lease.
func (tx *memoryTx) Close(context.Context) error {
	tx.store.mu.Lock()
	defer tx.store.mu.Unlock()
	tx.closed = true
	if tx.store.lease == tx {
		tx.store.lease = nil
	}
	return nil
}
