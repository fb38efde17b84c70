package syncertest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

func historyTests() []test {
	return []test{
		{name: "OfNothing", run: historyOfNothing, needs: History},
		{name: "IsWhatHeadAndRecordsSaid", run: historyIsWhatWas, needs: History},
		{name: "ShowsACommitAtOnce", run: historyAtOnce, needs: History},
		{name: "OfPendingWork", run: historyOfPending, needs: History},
		{name: "ChangesOnlyByACommit", run: historyChangesByCommits, needs: History},
		{name: "StateAtStaysWhatItIsWhileOthersCommit", run: stateAtStays, needs: History},
		{name: "UnknownSerialIsNoState", run: unknownSerial, needs: History},
		{name: "CanBeLeftEarlyAndReadTwice", run: historyLeftEarly, needs: History},
		{name: "CancelledCallsDoNothing", run: historyCancelled, needs: History},
		{name: "OrUnsupported", run: lacksOrHas(History, func(t *testing.T, h tusync.Historian) error {
			for _, err := range h.History(t.Context()) {
				return err
			}
			return nil
		})},
	}
}

// chronicle is a model that notes every State that it was.
type chronicle struct {
	*model
	heads   []state.Head // with the backend's tokens, from serial 1 on
	records [][]string
}

func newChronicle() *chronicle { return &chronicle{model: newModel(scope())} }

// note notes a State that was committed.
func (c *chronicle) note(t *testing.T, head state.Head) {
	t.Helper()
	c.heads = append(c.heads, head)
	c.records = append(c.records, linesOf(t, c.model.records))
}

// sync takes the lease, commits some deltas of each which makes one, and gives the
// lease back.
func (c *chronicle) sync(t *testing.T, s *store, b tusync.Backend, deltas ...func() state.Delta) {
	t.Helper()
	tx, head := s.begin(t, b)
	c.isHead(t, head)
	for _, delta := range deltas {
		c.note(t, c.commit(t, tx, delta()))
	}
	require.NoError(t, tx.Close(t.Context()))
}

// matches checks that a handle tells of every State what it was.
func (c *chronicle) matches(t *testing.T, s *store, b tusync.Backend) {
	t.Helper()
	c.model.matches(t, s, b)
	heads := headsOf(t, b)
	require.Len(t, heads, len(c.heads))
	for i, head := range heads {
		want := c.heads[len(c.heads)-1-i]
		require.Equal(t, jsonOf(t, want), jsonOf(t, head))
		require.Equal(t, want.Token, head.Token)
	}
	for i, want := range c.heads {
		head, records := stateAt(t, b, want.Serial)
		require.Equal(t, jsonOf(t, want), jsonOf(t, head))
		require.Equal(t, want.Token, head.Token)
		require.Equal(t, c.records[i], linesOf(t, records), "the records as of serial %d", want.Serial)
		if !s.lacks(Declarations) {
			c.declares(t, b, records)
		}
	}
}

// declares checks that a backend has the declarations of records of any State.
func (c *chronicle) declares(t *testing.T, b tusync.Backend, records []state.Record) {
	t.Helper()
	var sums []state.Checksum
	for _, r := range records {
		sums = append(sums, r.Checksum)
		for _, pending := range r.Pending {
			sums = append(sums, pending.Checksum)
		}
	}
	found, err := b.Declared(t.Context(), sums)
	require.NoError(t, err)
	for _, sum := range sums {
		if want, ok := c.declared[sum]; ok {
			require.Contains(t, found, sum, "the declaration of %s, which an earlier State names, is gone", want.Key)
			require.Equal(t, jsonOf(t, want), jsonOf(t, found[sum]))
		}
	}
}

func headsOf(t *testing.T, b tusync.Backend) []state.Head {
	t.Helper()
	var heads []state.Head
	for head, err := range able[tusync.Historian](t, b).History(t.Context()) {
		require.NoError(t, err)
		heads = append(heads, head)
	}
	return heads
}

func stateAt(t *testing.T, b tusync.Backend, serial int64) (state.Head, []state.Record) {
	t.Helper()
	head, sequence, err := able[tusync.Historian](t, b).StateAt(t.Context(), serial)
	require.NoError(t, err)
	var records []state.Record
	for r, err := range sequence {
		require.NoError(t, err)
		records = append(records, r)
	}
	return head, records
}

// A scope in which nothing was ever recorded has no States.
func historyOfNothing(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b := store.open(t)
	require.Empty(t, headsOf(t, b))
	tx, _ := store.begin(t, b)
	require.Empty(t, headsOf(t, store.open(t)))
	require.NoError(t, tx.Close(t.Context()))
	for _, serial := range []int64{0, 1} {
		_, _, err := able[tusync.Historian](t, b).StateAt(t.Context(), serial)
		require.ErrorIs(t, err, tusync.ErrNoState)
	}
}

// The heads come newest first, the present one included, without a gap; and of
// each State the records are those that Records yielded then: over creates,
// updates, drops and records that come again, commits of nothing but a head,
// several in a Tx and many Txs. The declarations that their records name are kept.
func historyIsWhatWas(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, c := store.open(t), newChronicle()
	put := func(first, last, version int, dropped ...state.Key) func() state.Delta {
		return func() state.Delta { return c.put(t, s.resources(first, last, version), dropped...) }
	}
	c.sync(t, store, b, put(0, 5, 1))
	c.matches(t, store, b)
	for version := 2; version <= 7; version++ {
		c.sync(t, store, b, put(version, version+3, version, s.Resource(version-2, 1).Key), put(0, 0, 0))
		c.sync(t, store, store.open(t), put(0, 2, version%3))
		c.sync(t, store, b)
	}
	c.matches(t, store, b)
	c.matches(t, store, store.open(t))
	c.sync(t, store, b, put(0, 0, 0, keysOf(s.resources(0, 12, 1))...))
	require.Empty(t, c.model.records)
	for version := range 8 {
		c.sync(t, store, b, put(version, version+2, 9))
	}
	require.Less(t, len(c.heads), kept)
	c.matches(t, store, store.open(t))
}

// kept is how many States a backend must keep at least.
const kept = 30

// A commit is history as soon as it is recorded, for every handle, while the Tx
// goes on; what was not committed is not, nor is what was lost with the lease.
func historyAtOnce(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, c := store.open(t), newChronicle()
	tx, _ := store.begin(t, b)
	for version := 1; version <= 4; version++ {
		delta := c.put(t, s.resources(version, version+3, version))
		c.apply(t, tx, delta)
		c.matches(t, store, b)
		c.note(t, c.commit(t, tx, delta))
		c.matches(t, store, b)
		c.matches(t, store, store.open(t))
	}
	s.Lapse(t, store.address)
	late := c.put(t, s.resources(0, 2, 8))
	c.sync(t, store, store.open(t), func() state.Delta { return c.put(t, s.resources(0, 2, 9)) })
	requireLost(t, tx, late)
	if err := tx.Close(t.Context()); err != nil {
		require.ErrorIs(t, err, tusync.ErrLeaseLost)
	}
	c.matches(t, store, store.open(t))
}

// An earlier State has the orphans, and what was pending, as of then, and what was
// to be is declared.
func historyOfPending(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, c := store.open(t), newChronicle()
	c.sync(t, store, b, func() state.Delta { return c.put(t, s.resources(0, 3, 1)) })
	c.sync(t, store, b, func() state.Delta {
		record, intended := s.intent(t, 5, 1, 2)
		orphan := c.model.records[0]
		orphan.Orphaned = true
		delta := c.record(t, []state.Record{orphan, record})
		delta.Declared = []state.Resource{intended}
		return delta
	}, func() state.Delta {
		record := c.model.records[3]
		record.Pending = slices.Clone(record.Pending)
		record.Pending[0].Attempts, record.Pending[0].Error = 1, "it failed"
		return c.record(t, []state.Record{record})
	}, func() state.Delta {
		return c.put(t, []state.Resource{s.Resource(5, 2)}, s.Resource(0, 1).Key)
	})
	c.sync(t, store, b, func() state.Delta { return c.put(t, nil, keysOf(s.resources(0, 6, 1))...) })
	c.matches(t, store, b)
	c.matches(t, store, store.open(t))
}

// Nothing but a commit makes history: not a Tx without one, nor one that was
// refused, nor the same delta once more.
func historyChangesByCommits(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, c := store.open(t), newChronicle()
	c.sync(t, store, b, func() state.Delta { return c.put(t, s.resources(0, 3, 1)) })
	tx, _ := store.begin(t, b)
	delta := c.put(t, s.resources(0, 3, 2))
	c.apply(t, tx, delta)
	require.NoError(t, tx.Close(t.Context()))
	c.matches(t, store, b)

	tx, _ = store.begin(t, b)
	wrong := delta
	wrong.Head.Root = state.Sum(nil)
	_, err := tx.Commit(t.Context(), wrong)
	require.Error(t, err)
	c.matches(t, store, b)
	c.note(t, c.commit(t, tx, delta))
	_, err = tx.Commit(t.Context(), delta)
	require.NoError(t, err)
	c.matches(t, store, b)
	require.NoError(t, tx.Close(t.Context()))
	c.matches(t, store, store.open(t))
}

// An iteration over the records of an earlier State goes on, whatever is committed
// meanwhile.
func stateAtStays(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, c := store.open(t), newChronicle()
	const count = 60
	c.sync(t, store, b, func() state.Delta { return c.put(t, s.resources(0, count, 1)) })
	c.sync(t, store, b, func() state.Delta { return c.put(t, s.resources(0, count/2, 2)) })
	_, sequence, err := able[tusync.Historian](t, b).StateAt(t.Context(), 1)
	require.NoError(t, err)
	for range 2 {
		var seen []string
		for r, err := range sequence {
			require.NoError(t, err)
			seen = append(seen, jsonOf(t, r))
			if n := len(seen); n == 1 || n == count/2 {
				c.sync(t, store, store.open(t), func() state.Delta { return c.put(t, s.resources(n, count, n)) })
			}
		}
		require.Equal(t, c.records[0], seen)
	}
	var heads []state.Head
	for head, err := range able[tusync.Historian](t, b).History(t.Context()) {
		require.NoError(t, err)
		heads = append(heads, head)
		c.sync(t, store, store.open(t), func() state.Delta { return c.put(t, s.resources(0, 2, len(heads))) })
	}
	require.GreaterOrEqual(t, len(heads), 6)
	require.EqualValues(t, 1, heads[len(heads)-1].Serial)
	c.matches(t, store, b)
}

func unknownSerial(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, c := store.open(t), newChronicle()
	for version := range 3 {
		c.sync(t, store, b, func() state.Delta { return c.put(t, s.resources(0, 3, version)) })
	}
	for _, serial := range []int64{-1 << 62, -1, 0, 4, 5, 1 << 40, 1<<63 - 1} {
		_, _, err := able[tusync.Historian](t, b).StateAt(t.Context(), serial)
		require.ErrorIs(t, err, tusync.ErrNoState, "serial %d", serial)
	}
	c.matches(t, store, b)
}

func historyLeftEarly(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, c := store.open(t), newChronicle()
	for version := range 4 {
		c.sync(t, store, b, func() state.Delta { return c.put(t, s.resources(0, 3, version)) })
	}
	heads := able[tusync.Historian](t, b).History(t.Context())
	_, records, err := able[tusync.Historian](t, b).StateAt(t.Context(), 2)
	require.NoError(t, err)
	for leave := range 3 {
		n := 0
		for head, err := range heads {
			require.NoError(t, err)
			require.EqualValues(t, 4-n, head.Serial)
			if n++; n > leave {
				break
			}
		}
		n = 0
		for r, err := range records {
			require.NoError(t, err)
			require.Equal(t, c.records[1][n], jsonOf(t, r))
			if n++; n > leave {
				break
			}
		}
		require.Equal(t, leave+1, n)
	}
}

func historyCancelled(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, c := store.open(t), newChronicle()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 {
		err := errors.New("no head at all")
		for _, err = range able[tusync.Historian](t, b).History(over) {
			require.Error(t, err)
		}
		require.ErrorIs(t, err, context.Canceled)
		_, _, err = able[tusync.Historian](t, b).StateAt(over, 1)
		require.ErrorIs(t, err, context.Canceled)
		c.sync(t, store, b, func() state.Delta { return c.put(t, s.resources(0, 3, 1)) })
	}
}
