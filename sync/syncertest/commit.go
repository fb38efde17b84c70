package syncertest

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

func commitTests() []test {
	return []test{
		{name: "IsSeenByAllAtOnceAndNotBefore", run: commitIsSeen},
		{name: "TwiceCountsOnce", run: commitTwiceCountsOnce},
		{name: "OfAnotherSerialIsStale", run: commitOfAnotherSerial},
		{name: "ThatDoesNotFitIsRefused", run: commitThatDoesNotFit},
		{name: "OfNothingButAHead", run: commitOfNothing},
		{name: "AppliedWorkEndsOneByOne", run: appliedWork},
		{name: "AdoptedWorkKeepsItsID", run: adoptedWork},
		{name: "UncommittedWorkIsGone", run: uncommittedWork},
	}
}

// Nothing of a Tx is visible before its Commit, all of it is after; there may be
// several in a Tx, each of them visible to others while the Tx goes on.
func commitIsSeen(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	tx, _ := store.begin(t, b)
	for version := 1; version <= 4; version++ {
		m.matches(t, store, store.open(t))
		delta := m.put(t, s.resources(version, version+5, version), s.Resource(version-1, version).Key)
		m.apply(t, tx, delta)
		m.matches(t, store, b)
		m.matches(t, store, store.open(t))
		m.commit(t, tx, delta)
		m.matches(t, store, b)
		m.matches(t, store, store.open(t))
	}
	require.NoError(t, tx.Close(t.Context()))
	m.matches(t, store, store.open(t))
}

// apply hands the resources of a delta to the Tx: as updates of what the model
// holds, and creates of the rest.
func (m *model) apply(t *testing.T, tx tusync.Tx, delta state.Delta) []tusync.Outcome {
	t.Helper()
	recorded := byKey(m.records)
	var changes []diff.Change
	for i := range delta.Declared {
		desired := &delta.Declared[i]
		sum, err := desired.Checksum()
		require.NoError(t, err)
		if record, ok := recorded[desired.Key]; ok {
			changes = append(changes, &diff.Update{Recorded: &record, Target: diff.Target{Desired: desired, Checksum: sum}})
			continue
		}
		changes = append(changes, &diff.Create{Target: diff.Target{Desired: desired, Checksum: sum}, ID: state.DeriveID(desired.String())})
	}
	for _, key := range delta.Dropped {
		if record, ok := recorded[key]; ok {
			changes = append(changes, &diff.Delete{Recorded: &record})
		}
	}
	outcomes, err := tx.Apply(t.Context(), changes)
	require.NoError(t, err)
	require.Len(t, outcomes, len(changes))
	return outcomes
}

// The same delta given twice in a row counts once: whoever didn't hear the
// answer may ask again.
func commitTwiceCountsOnce(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	tx, _ := store.begin(t, b)
	for version := 1; version <= 3; version++ {
		delta := m.put(t, s.resources(0, 3, version))
		first := m.commit(t, tx, delta)
		for range 2 {
			again, err := tx.Commit(t.Context(), delta)
			require.NoError(t, err)
			require.Equal(t, jsonOf(t, first), jsonOf(t, again))
			require.Equal(t, first.Token, again.Token)
		}
		m.matches(t, store, store.open(t))
	}
	require.NoError(t, tx.Close(t.Context()))
	m.matches(t, store, store.open(t))
}

func commitOfAnotherSerial(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	tx, _ := store.begin(t, b)
	m.commit(t, tx, m.put(t, s.resources(0, 3, 1)))
	m.commit(t, tx, m.put(t, s.resources(0, 3, 2)))
	for _, serial := range []int64{-1, 0, 1, 2, 4, 5} {
		delta := m.put(t, s.resources(0, 3, 3))
		delta.Head.Serial = serial // 2 is that of the last commit, and another delta
		_, err := tx.Commit(t.Context(), delta)
		require.ErrorIs(t, err, tusync.ErrStale, "serial %d after 2", serial)
		m.matches(t, store, store.open(t))
	}
	m.commit(t, tx, m.put(t, s.resources(0, 3, 3)))
	require.NoError(t, tx.Close(t.Context()))
	m.matches(t, store, store.open(t))
}

// A delta that doesn't fit what is recorded is refused as a whole; the Tx goes
// on.
func commitThatDoesNotFit(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	tx, _ := store.begin(t, b)
	m.commit(t, tx, m.put(t, s.resources(0, 5, 1)))
	other := state.Sum([]byte("another"))
	for name, spoil := range map[string]func(*state.Delta){
		"a root of other records":          func(d *state.Delta) { d.Head.Root = other },
		"no root":                          func(d *state.Delta) { d.Head.Root = state.Checksum{} },
		"a root of other declarations":     func(d *state.Delta) { d.Head.Declared = other },
		"too many records":                 func(d *state.Delta) { d.Head.Records++ },
		"too few orphans":                  func(d *state.Delta) { d.Head.Orphans-- },
		"too much that is pending":         func(d *state.Delta) { d.Head.Pending++ },
		"a record that the root is not of": func(d *state.Delta) { d.Records[0].ID = "another" },
		"a record less than in the root":   func(d *state.Delta) { d.Records = d.Records[1:] },
		"a drop less than in the root":     func(d *state.Delta) { d.Dropped = nil },
		"records out of order":             func(d *state.Delta) { d.Records[0], d.Records[1] = d.Records[1], d.Records[0] },
		"another scope":                    func(d *state.Delta) { d.Head.Scope.App = "other" },
	} {
		t.Run(name, func(t *testing.T) {
			delta := m.put(t, s.resources(3, 7, 2), s.Resource(0, 1).Key)
			spoil(&delta)
			_, err := tx.Commit(t.Context(), delta)
			require.ErrorAs(t, err, new(*state.DeltaError))
			require.NotErrorIs(t, err, tusync.ErrLeaseLost)
			m.matches(t, store, store.open(t))
		})
	}
	m.commit(t, tx, m.put(t, s.resources(3, 7, 2), s.Resource(0, 1).Key))
	require.NoError(t, tx.Close(t.Context()))
	m.matches(t, store, store.open(t))
}

// A commit may change nothing but the head, and may leave nothing recorded.
func commitOfNothing(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	m.sync(t, store, b, nil)
	m.matches(t, store, store.open(t))
	m.sync(t, store, b, s.resources(0, 3, 1))
	m.sync(t, store, b, nil)
	m.matches(t, store, store.open(t))
	m.sync(t, store, b, nil, keysOf(s.resources(0, 3, 1))...)
	m.matches(t, store, store.open(t))
	require.Empty(t, m.records)
}

// Apply returns one Outcome for each change, in their order; what was created
// has an identity. What it can't know is an error, and nothing was done.
func appliedWork(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	tx, _ := store.begin(t, b)
	delta := m.put(t, s.resources(0, 4, 1))
	ids := map[string]bool{}
	for i, outcome := range m.apply(t, tx, delta) {
		require.NoError(t, outcome.Err)
		require.NotEmpty(t, outcome.ID)
		delta.Records[i].ID = outcome.ID
		ids[outcome.ID] = true
	}
	require.Len(t, ids, 4, "two resources have one identity")
	delta.Head = m.record(t, delta.Records).Head
	m.commit(t, tx, delta)

	update, sum := s.Resource(1, 2), m.records[1].Checksum
	_, err := tx.Apply(t.Context(), []diff.Change{&diff.Orphan{Recorded: &m.records[0]}})
	require.Error(t, err, "orphans are for the books alone")
	outcomes, err := tx.Apply(t.Context(), []diff.Change{
		&diff.Update{Recorded: &m.records[1], Target: diff.Target{Desired: &update, Checksum: sum}},
		&diff.Delete{Recorded: &m.records[2]},
	})
	require.NoError(t, err)
	require.Len(t, outcomes, 2)
	require.NoError(t, outcomes[0].Err)
	require.NoError(t, outcomes[1].Err)
	outcomes, err = tx.Apply(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, outcomes)
	require.NoError(t, tx.Close(t.Context()))
	m.matches(t, store, store.open(t))
}

// What is adopted is recorded under the ID that it has.
func adoptedWork(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	tx, _ := store.begin(t, b)
	delta := m.put(t, s.resources(0, 2, 1))
	var changes []diff.Change
	for i := range delta.Declared {
		target := diff.Target{Desired: &delta.Declared[i], Checksum: delta.Records[i].Checksum, Config: delta.Declared[i].Config}
		changes = append(changes, &diff.Adopt{Target: target, ID: fmt.Sprint("it has this one: ", i)})
	}
	outcomes, err := tx.Apply(t.Context(), changes)
	require.NoError(t, err)
	require.Len(t, outcomes, 2)
	for i, outcome := range outcomes {
		require.NoError(t, outcome.Err)
		require.Equal(t, fmt.Sprint("it has this one: ", i), outcome.ID)
		delta.Records[i].ID = outcome.ID
	}
	delta.Head = m.record(t, delta.Records).Head
	m.commit(t, tx, delta)
	require.NoError(t, tx.Close(t.Context()))
	m.matches(t, store, store.open(t))
}

// What was not committed when a Tx closes is gone; and a Tx that is closed does
// nothing more.
func uncommittedWork(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	m.sync(t, store, b, s.resources(0, 3, 1))
	tx, _ := store.begin(t, b)
	delta := m.put(t, s.resources(3, 6, 1))
	m.apply(t, tx, delta)
	require.NoError(t, tx.Close(t.Context()))
	require.NoError(t, tx.Close(context.WithoutCancel(t.Context())), "closing twice is fine")
	m.matches(t, store, b)
	m.matches(t, store, store.open(t))

	_, err := tx.Commit(t.Context(), delta)
	require.Error(t, err)
	_, err = tx.Apply(t.Context(), nil)
	require.Error(t, err)
	_, err = tx.Renew(t.Context())
	require.Error(t, err)
	m.matches(t, store, store.open(t))
	m.sync(t, store, store.open(t), s.resources(3, 6, 1))
	m.matches(t, store, b)
}
