package syncertest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	tusync "github.com/trueup-go/trueup/sync"
)

func unlockTests() []test {
	return []test{
		{name: "HolderIsWhoBegan", run: holderIsWhoBegan, needs: Unlocking},
		{name: "UnlockedHolderCantCommit", run: unlockedHolder, needs: Unlocking},
		{name: "AnotherHolderIsLeftAlone", run: anotherHolder, needs: Unlocking},
		{name: "NobodyIsUnlocked", run: nobodyIsUnlocked, needs: Unlocking},
		{name: "ManyUnlockAtOnce", run: manyUnlock, needs: Unlocking},
		{name: "OrUnsupported", run: lacksOrHas(Unlocking, func(t *testing.T, u tusync.Unlocker) error {
			_, err := u.Holder(t.Context())
			return err
		})},
	}
}

// holderOf returns who holds the lease, which somebody does.
func holderOf(t *testing.T, b tusync.Backend) *tusync.LockedError {
	t.Helper()
	holder, err := able[tusync.Unlocker](t, b).Holder(t.Context())
	require.NoError(t, err)
	require.NotNil(t, holder, "somebody holds the lease")
	return holder
}

func requireNobodyHolds(t *testing.T, b tusync.Backend) {
	t.Helper()
	holder, err := able[tusync.Unlocker](t, b).Holder(t.Context())
	require.NoError(t, err)
	require.Nil(t, holder, "nobody holds the lease")
}

// Holder tells what Begin tells those who come too late; nil if nobody holds the
// lease, since nobody took it, it was given back, or it lapsed.
func holderIsWhoBegan(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b := store.open(t)
	requireNobodyHolds(t, b)
	tx, _, err := b.Begin(t.Context(), "ada on vax")
	require.NoError(t, err)
	_, _, err = store.open(t).Begin(t.Context(), "bob")
	var locked *tusync.LockedError
	require.ErrorAs(t, err, &locked)
	for _, handle := range []tusync.Backend{b, store.open(t)} {
		holder := holderOf(t, handle)
		require.Equal(t, store.scope, holder.Scope)
		require.Equal(t, "ada on vax", holder.Owner)
		require.True(t, holder.Since.Equal(locked.Since))
		require.WithinDuration(t, locked.Expires, holder.Expires, time.Second)
	}
	require.NoError(t, tx.Close(t.Context()))
	requireNobodyHolds(t, b)
	requireNobodyHolds(t, store.open(t))
	store.begin(t, b)
	s.Lapse(t, store.address)
	requireNobodyHolds(t, b)
}

// Who was unlocked can neither commit nor renew, as if the lease had lapsed, even
// while nobody else has it; what was committed stays; the next one can begin at
// once.
func unlockedHolder(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	m.sync(t, store, b, s.resources(0, 3, 1))
	slow, _ := store.begin(t, b)
	m.commit(t, slow, m.put(t, s.resources(0, 3, 2)))
	late := m.put(t, s.resources(0, 3, 3))
	m.apply(t, slow, late)

	other := store.open(t)
	require.NoError(t, able[tusync.Unlocker](t, other).Unlock(t.Context(), holderOf(t, other)))
	requireNobodyHolds(t, other)
	requireLost(t, slow, late)
	m.matches(t, store, store.open(t))

	quick, head := store.begin(t, other)
	m.isHead(t, head)
	requireLost(t, slow, late)
	m.commit(t, quick, m.put(t, s.resources(2, 6, 4)))
	if err := slow.Close(t.Context()); err != nil {
		require.ErrorIs(t, err, tusync.ErrLeaseLost)
	}
	m.commit(t, quick, m.put(t, s.resources(2, 6, 5)))
	require.NoError(t, quick.Close(t.Context()))
	m.matches(t, store, b)
	m.sync(t, store, b, s.resources(0, 3, 6))
	m.matches(t, store, store.open(t))
}

// Unlock is about one holder: who took the lease since, under whatever name, is
// left alone.
func anotherHolder(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	first, _, err := b.Begin(t.Context(), "the same name")
	require.NoError(t, err)
	before := holderOf(t, b)
	require.NoError(t, first.Close(t.Context()))
	tx, _, err := store.open(t).Begin(t.Context(), "the same name")
	require.NoError(t, err)
	now := holderOf(t, b)
	name, scope := *now, *now
	name.Owner, scope.Scope.App = "another name", "another app"
	for _, told := range []*tusync.LockedError{before, &name, &scope, nil} {
		require.NoError(t, able[tusync.Unlocker](t, b).Unlock(t.Context(), told))
		require.Equal(t, now.Owner, holderOf(t, b).Owner)
		m.commit(t, tx, m.put(t, s.resources(0, 3, int(m.head.Serial))))
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, able[tusync.Unlocker](t, b).Unlock(over, now), context.Canceled)
	m.commit(t, tx, m.put(t, s.resources(0, 3, 9)))
	require.NoError(t, tx.Close(t.Context()))
	m.matches(t, store, b)
}

// A lease that has lapsed or was given back is nobody's.
func nobodyIsUnlocked(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	unlocker := able[tusync.Unlocker](t, b)
	require.NoError(t, unlocker.Unlock(t.Context(), &tusync.LockedError{Scope: store.scope, Owner: "nobody", Since: time.Now()}))
	tx, _ := store.begin(t, b)
	holder := holderOf(t, b)
	require.NoError(t, tx.Close(t.Context()))
	require.NoError(t, unlocker.Unlock(t.Context(), holder))
	store.begin(t, b)
	holder = holderOf(t, b)
	s.Lapse(t, store.address)
	require.NoError(t, unlocker.Unlock(t.Context(), holder))
	m.sync(t, store, b, s.resources(0, 3, 1))
	m.matches(t, store, store.open(t))
}

// Of several that unlock the same holder one does, and none of them whoever comes
// next.
func manyUnlock(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	for version := range 3 {
		slow, _ := store.begin(t, b)
		late := m.put(t, s.resources(0, 3, 10+version))
		holder := holderOf(t, b)
		done := make(chan error, 4)
		for range cap(done) {
			unlocker := able[tusync.Unlocker](t, store.open(t))
			go func() { done <- unlocker.Unlock(t.Context(), holder) }()
		}
		for range cap(done) {
			require.NoError(t, <-done)
		}
		requireLost(t, slow, late)
		m.sync(t, store, store.open(t), s.resources(0, 3, version))
	}
	m.matches(t, store, b)
}
