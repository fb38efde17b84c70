package syncertest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

func leaseTests() []test {
	return []test{
		{name: "IsHeldByOne", run: leaseIsHeldByOne},
		{name: "IsGivenBackByClose", run: leaseIsGivenBack},
		{name: "IsRenewed", run: leaseIsRenewed},
		{name: "IsRenewedWhileWorkGoesOn", run: leaseIsRenewedMeanwhile},
		{name: "LapsesAndIsTaken", run: leaseLapses},
		{name: "LostIsNotGivenBack", run: lostLeaseIsNotGivenBack},
		{name: "HeldIsNoHindranceToReaders", run: leaseDoesNotHinderReaders},
		{name: "CancelledCallsDoNothing", run: cancelledCalls},
		{name: "ManyBeginAtOnce", run: manyBegin},
	}
}

// While one holds the lease, Begin returns, at once, a *LockedError that says
// who, since when and until when.
func leaseIsHeldByOne(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b := store.open(t)
	before := time.Now().Add(-time.Second) // some stores count in coarse steps
	_, _, err := b.Begin(t.Context(), "ada on vax")
	require.NoError(t, err)
	for _, other := range []tusync.Backend{b, store.open(t)} {
		_, _, err := other.Begin(t.Context(), "bob")
		requireLocked(t, err, store.scope, "ada on vax")
		var locked *tusync.LockedError
		require.ErrorAs(t, err, &locked)
		now := time.Now().Add(time.Second)
		require.True(t, locked.Since.After(before) && locked.Since.Before(now), "since %s", locked.Since)
		require.True(t, locked.Expires.After(locked.Since), "expires %s", locked.Expires)
		require.True(t, locked.Expires.Before(now.Add(tusync.LeaseTTL)), "expires %s", locked.Expires)
	}
}

func requireLocked(t *testing.T, err error, scope state.Scope, owner string) {
	t.Helper()
	require.ErrorIs(t, err, tusync.ErrLocked)
	var locked *tusync.LockedError
	require.ErrorAs(t, err, &locked)
	require.Equal(t, scope, locked.Scope)
	require.Equal(t, owner, locked.Owner)
}

func leaseIsGivenBack(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b := store.open(t)
	for range 3 {
		first, _ := store.begin(t, b)
		require.NoError(t, first.Close(t.Context()))
		second, _ := store.begin(t, store.open(t))
		require.NoError(t, first.Close(t.Context()), "closing twice is fine")
		_, _, err := b.Begin(t.Context(), "third")
		require.ErrorIs(t, err, tusync.ErrLocked, "closing twice gave back another one's lease")
		require.NoError(t, second.Close(t.Context()))
	}
}

// Renew says until when the lease is held; a lease that is renewed doesn't
// lapse. One that has lapsed and that nobody took may be renewed or lost.
func leaseIsRenewed(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	tx, _ := store.begin(t, b)
	for range 3 {
		before := time.Now()
		until, err := tx.Renew(t.Context())
		require.NoError(t, err)
		require.WithinRange(t, until, before.Add(tusync.LeaseTTL/2), time.Now().Add(tusync.LeaseTTL+time.Second))
	}
	s.Lapse(t, store.address)
	if _, err := tx.Renew(t.Context()); err != nil {
		require.ErrorIs(t, err, tusync.ErrLeaseLost)
		return
	}
	_, _, err := store.open(t).Begin(t.Context(), "another")
	require.ErrorIs(t, err, tusync.ErrLocked, "a lease that was renewed was taken")
	m.commit(t, tx, m.put(t, s.resources(0, 3, 1)))
}

// Renew is called from another goroutine than everything else.
func leaseIsRenewedMeanwhile(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	tx, _ := store.begin(t, b)
	stop, done := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			if _, err := tx.Renew(t.Context()); err != nil {
				done <- err
				return
			}
		}
	}()
	for version := 1; version <= 5; version++ {
		delta := m.put(t, s.resources(0, 20, version))
		m.apply(t, tx, delta)
		m.commit(t, tx, delta)
	}
	close(stop)
	require.NoError(t, <-done)
	require.NoError(t, tx.Close(t.Context()))
	m.matches(t, store, store.open(t))
}

// A lease that lapsed can be taken. Who lost it can neither commit nor renew, and
// nothing of theirs is recorded.
func leaseLapses(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	m.sync(t, store, b, s.resources(0, 3, 1))
	slow, _ := store.begin(t, b)
	m.commit(t, slow, m.put(t, s.resources(0, 3, 2)))
	late := m.put(t, s.resources(0, 3, 3))
	m.apply(t, slow, late)

	s.Lapse(t, store.address)
	other := store.open(t)
	quick, head := store.begin(t, other)
	m.isHead(t, head)
	requireLost(t, slow, late)
	m.matches(t, store, store.open(t))

	m.commit(t, quick, m.put(t, s.resources(2, 6, 4)))
	late.Head.Serial = m.head.Serial + 1
	requireLost(t, slow, late)
	m.commit(t, quick, m.put(t, s.resources(2, 6, 5)))
	require.NoError(t, quick.Close(t.Context()))
	requireLost(t, slow, late)
	m.matches(t, store, b)
	m.matches(t, store, store.open(t))
}

func requireLost(t *testing.T, tx tusync.Tx, delta state.Delta) {
	t.Helper()
	_, err := tx.Commit(t.Context(), delta)
	require.ErrorIs(t, err, tusync.ErrLeaseLost)
	_, err = tx.Renew(t.Context())
	require.ErrorIs(t, err, tusync.ErrLeaseLost)
}

// Who lost the lease may close; that leaves the next holder's alone.
func lostLeaseIsNotGivenBack(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	slow, _ := store.begin(t, b)
	m.commit(t, slow, m.put(t, s.resources(0, 3, 1)))
	s.Lapse(t, store.address)
	quick, _ := store.begin(t, store.open(t))
	if err := slow.Close(t.Context()); err != nil {
		require.ErrorIs(t, err, tusync.ErrLeaseLost)
	}
	_, _, err := store.open(t).Begin(t.Context(), "third")
	require.ErrorIs(t, err, tusync.ErrLocked)
	m.commit(t, quick, m.put(t, s.resources(0, 3, 2)))
	require.NoError(t, quick.Close(t.Context()))
	m.matches(t, store, b)
}

func leaseDoesNotHinderReaders(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	tx, _ := store.begin(t, b)
	m.matches(t, store, b)
	m.commit(t, tx, m.put(t, s.resources(0, 5, 1)))
	m.matches(t, store, b)
	m.matches(t, store, store.open(t))
}

// A call whose context is over fails with that reason, and does nothing.
func cancelledCalls(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	m.sync(t, store, b, s.resources(0, 3, 1))
	over, cancel := context.WithCancel(t.Context())
	cancel()

	_, err := b.Head(over)
	require.ErrorIs(t, err, context.Canceled)
	for _, got := range b.Records(over) {
		err = got
	}
	require.ErrorIs(t, err, context.Canceled)
	_, err = b.Declared(over, []state.Checksum{m.records[0].Checksum})
	require.True(t, errors.Is(err, context.Canceled) || s.lacks(Declarations) && errors.Is(err, errors.ErrUnsupported))
	_, _, err = b.Begin(over, "nobody")
	require.ErrorIs(t, err, context.Canceled)

	tx, _ := store.begin(t, store.open(t)) // so nobody has the lease
	delta := m.put(t, s.resources(0, 5, 2))
	_, err = tx.Apply(over, nil)
	require.ErrorIs(t, err, context.Canceled)
	_, err = tx.Commit(over, delta)
	require.ErrorIs(t, err, context.Canceled)
	m.matches(t, store, b)
	_, err = tx.Renew(over)
	require.ErrorIs(t, err, context.Canceled)
	m.commit(t, tx, delta)
	require.NoError(t, tx.Close(t.Context()))
	m.matches(t, store, b)
}

// Of many that begin at once, one holds the lease at a time, and each of them
// builds on what the others have done.
func manyBegin(t *testing.T, s *Suite) {
	store := s.fresh(t)
	const workers, each = 6, 4
	inside := make(chan struct{}, 1)
	done := make(chan error, workers)
	for worker := range workers {
		b := store.open(t)
		go func() { done <- beginMany(t, s, b, inside, worker, each) }()
	}
	for range workers {
		require.NoError(t, <-done)
	}
	head, err := store.open(t).Head(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, workers*each, head.Serial)
}

func beginMany(t *testing.T, s *Suite, b tusync.Backend, inside chan struct{}, worker, each int) error {
	ctx, cancel := context.WithTimeout(t.Context(), 4*tusync.LeaseTTL)
	defer cancel()
	for turn := 0; turn < each; {
		tx, head, err := b.Begin(ctx, "worker")
		if errors.Is(err, tusync.ErrLocked) {
			<-time.After(time.Millisecond) // let the holder have the processor
			continue
		}
		if err != nil {
			return err
		}
		select {
		case inside <- struct{}{}:
		default:
			return errors.New("two hold the lease at once")
		}
		m := newModel(scope())
		m.head = head
		for r, err := range b.Records(t.Context()) {
			if err != nil {
				return err
			}
			m.records = append(m.records, r)
		}
		if _, err := tx.Commit(t.Context(), m.put(t, s.resources(worker*each+turn, worker*each+turn+1, 1))); err != nil {
			return err
		}
		turn++
		<-inside
		if err := tx.Close(t.Context()); err != nil {
			return err
		}
	}
	return nil
}
