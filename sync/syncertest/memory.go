package syncertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
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

var (
	_ tusync.Backend      = (*Memory)(nil)
	_ tusync.DigestKeeper = (*Memory)(nil)
	_ tusync.Unlocker     = (*Memory)(nil)
)

// memoryStore is what the handles of one Memory share.
type memoryStore struct {
	scope state.Scope

	mu       sync.Mutex
	now      *memoryState
	commits  []state.Delta // that made it, from serial 1 on
	declared map[state.Checksum]state.Resource
	last     state.Checksum // of the delta that was committed last
	lease    *memoryTx      // nil if nobody has it
	key      []byte         // nil until one is kept
}

// NewMemory returns an empty store for a scope.
func NewMemory(scope state.Scope) *Memory {
	return &Memory{store: &memoryStore{
		scope:    scope,
		now:      newMemoryState(scope),
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
	return m.store.head(), ctx.Err()
}

// Records yields the records in key order.
func (m *Memory) Records(ctx context.Context) iter.Seq2[state.Record, error] {
	return func(yield func(state.Record, error) bool) {
		m.store.mu.Lock()
		records := m.store.now.inOrder()
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
	if held := m.store.holder(); held != nil {
		return nil, state.Head{}, held
	}
	now := time.Now()
	tx := &memoryTx{store: m.store, owner: owner, since: now, expires: now.Add(tusync.LeaseTTL)}
	m.store.lease = tx
	return tx, m.store.head(), nil
}

// DigestKey returns the key that is kept, nil if there is none yet.
func (m *Memory) DigestKey(ctx context.Context) ([]byte, error) {
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	return bytes.Clone(m.store.key), ctx.Err()
}

// KeepDigestKey keeps a key, unless there is one.
func (m *Memory) KeepDigestKey(ctx context.Context, key []byte) ([]byte, error) {
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(key) == 0 {
		return nil, errors.New("the digest key is empty")
	}
	if m.store.key == nil {
		m.store.key = bytes.Clone(key)
	}
	return bytes.Clone(m.store.key), nil
}

// Holder returns who holds the lease, nil if nobody does.
func (m *Memory) Holder(ctx context.Context) (*tusync.LockedError, error) {
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	return m.store.holder(), ctx.Err()
}

// Unlock ends the lease of a holder, if it is still that one's.
func (m *Memory) Unlock(ctx context.Context, holder *tusync.LockedError) error {
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	now := m.store.holder()
	if now != nil && holder != nil && now.Scope == holder.Scope && now.Owner == holder.Owner && now.Since.Equal(holder.Since) {
		m.store.lease = nil
	}
	return nil
}

// holder returns who holds the lease. The store is locked.
func (s *memoryStore) holder() *tusync.LockedError {
	held := s.lease
	if held == nil || !time.Now().Before(held.expires) {
		return nil
	}
	return &tusync.LockedError{Scope: s.scope, Owner: held.owner, Since: held.since, Expires: held.expires}
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
		case *diff.Adopt:
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
	switch serial, now := delta.Head.Serial, s.now.head; {
	case serial == now.Serial && sum == s.last:
		return s.head(), nil
	case serial != now.Serial+1:
		return state.Head{}, &tusync.StaleError{PlannedSerial: serial - 1, Serial: now.Serial, Moved: []string{fmt.Sprintf("the next serial is %d", now.Serial+1)}}
	}
	var own state.Delta // what the caller has, it may change
	if err := own.UnmarshalJSON(text); err != nil {
		return state.Head{}, err
	}
	declared := make(map[state.Checksum]state.Resource, len(own.Declared))
	for _, resource := range own.Declared {
		sum, err := resource.Checksum()
		if err != nil {
			return state.Head{}, err
		}
		declared[sum] = resource
	}
	if err := s.now.apply(&own); err != nil {
		return state.Head{}, err
	}
	maps.Copy(s.declared, declared)
	s.commits, s.last = append(s.commits, own), sum
	return s.head(), nil
}

// head returns the head; what it points to is the caller's.
func (s *memoryStore) head() state.Head {
	head := s.now.head
	head.Kinds = maps.Clone(head.Kinds)
	return head
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
