package syncertest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
)

// pendingTests are about what the engine commits around each act of a handler:
// what it intends, how an attempt failed, what came of it.
func pendingTests() []test {
	return []test{
		{name: "ComesBackAsItWasCommitted", run: pendingComesBack},
		{name: "ManySmallCommitsInOneTx", run: manySmallCommits},
		{name: "WhatADeltaHeldMayChange", run: deltaMayChange},
	}
}

// intent is the record of a resource that is to be created.
func (s *Suite) intent(t *testing.T, n, version int, serial int64) (state.Record, state.Resource) {
	t.Helper()
	r := s.Resource(n, version)
	sum, err := r.Checksum()
	require.NoError(t, err)
	return state.Record{Key: r.Key, Type: r.Type, Pending: []state.Pending{{Op: "create", Serial: serial, Checksum: sum}}}, r
}

// A create is intended, fails, is tried again, and is done: each time the record
// is what was committed, for this handle and another, in the same Tx and after.
func pendingComesBack(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	tx, _ := store.begin(t, b)
	record, intended := s.intent(t, 0, 1, 1)
	commit := func(change func(*state.Record), declared ...state.Resource) {
		t.Helper()
		change(&record)
		delta := m.record(t, []state.Record{record})
		delta.Declared = declared
		m.commit(t, tx, delta)
		m.matches(t, store, b)
		m.matches(t, store, store.open(t))
	}
	commit(func(*state.Record) {}, intended)
	require.Equal(t, 1, m.head.Pending)
	sum := record.Pending[0].Checksum
	if !s.lacks(Declarations) {
		found, err := b.Declared(t.Context(), []state.Checksum{sum})
		require.NoError(t, err)
		require.Contains(t, found, sum, "what is to be done is declared")
	}
	commit(func(r *state.Record) { r.Pending[0].Attempts, r.Pending[0].Error = 1, "refused:\n\"<&>\" ü" })
	commit(func(r *state.Record) { r.Pending[0].Attempts = 2 })
	commit(func(r *state.Record) { // the new one is there, the old one is to go, and the new one is to run
		r.ID, r.Replaced = "new", "old"
		r.Pending = []state.Pending{{Op: "delete", Serial: 3}, {Op: "deploy", Serial: 4, Checksum: state.Sum(nil), Attempts: 7, Error: "not healthy"}}
	})
	require.NoError(t, tx.Close(t.Context()))
	m.matches(t, store, store.open(t))
	tx, _ = store.begin(t, b)
	commit(func(r *state.Record) {
		r.Checksum, r.ConfigID, r.Replaced, r.Pending = sum, "config", "", nil
	}, intended) // nothing has named it since the commit before last
	require.Zero(t, m.head.Pending)
	require.NoError(t, tx.Close(t.Context()))
	m.matches(t, store, store.open(t))
}

// An intent and an outcome for each of many resources, each in a commit of its
// own, and in between a commit of nothing but a head: one Tx holds as many as
// there are.
func manySmallCommits(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	tx, _ := store.begin(t, b)
	const count = 60
	for n := range count {
		record, intended := s.intent(t, n, 1, m.head.Serial+1)
		delta := m.record(t, []state.Record{record})
		delta.Declared = []state.Resource{intended}
		m.commit(t, tx, delta)
		if n%20 == 0 {
			m.commit(t, tx, m.record(t, nil))
			m.matches(t, store, store.open(t))
		}
		m.commit(t, tx, m.put(t, []state.Resource{intended}))
	}
	require.EqualValues(t, 2*count+3, m.head.Serial)
	m.matches(t, store, store.open(t))
	require.NoError(t, tx.Close(t.Context()))
	m.matches(t, store, b)
	m.matches(t, store, store.open(t))
}

// A Tx keeps nothing of a delta's records and head, and nothing of the head that
// it returns: whoever has them may make the next ones of them.
func deltaMayChange(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	tx, _ := store.begin(t, b)
	m.commit(t, tx, m.put(t, s.resources(0, 3, 1)))
	record := m.records[1]
	record.After = []state.Key{record.Key}
	record.Pending = []state.Pending{{Op: "update", Serial: 2, Checksum: state.Sum(nil)}}
	want := linesOf(t, []state.Record{m.records[0], record, m.records[2]})
	delta := m.record(t, []state.Record{record})
	head, err := tx.Commit(t.Context(), delta)
	require.NoError(t, err)

	delta.Records[0].ID = "another"
	record.After[0].Name = "another"
	record.Pending[0].Attempts = 9
	for kind := range delta.Head.Kinds {
		delta.Head.Kinds[kind], head.Kinds[kind] = 77, 77
	}
	for range 2 {
		require.Equal(t, want, linesOf(t, collect(t, store.open(t))))
		now, err := store.open(t).Head(t.Context())
		require.NoError(t, err)
		require.Equal(t, head.Root, now.Root)
		require.NotContains(t, fmt.Sprint(now.Kinds), "77")
		require.NoError(t, tx.Close(t.Context()))
	}
}
