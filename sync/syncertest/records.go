package syncertest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
)

func recordsTests() []test {
	return []test{
		{name: "InKeyOrder", run: recordsInKeyOrder},
		{name: "KeepEveryField", run: recordsKeepEveryField},
		{name: "AsOfOneSerial", run: recordsAsOfOneSerial},
		{name: "CanBeLeftEarlyAndReadTwice", run: recordsCanBeLeftEarly},
	}
}

// Records come in the order of Key.Compare, whatever the order in which they
// were committed.
func recordsInKeyOrder(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	m.sync(t, store, b, s.resources(5, 9, 1))
	m.sync(t, store, b, s.resources(0, 3, 1))
	m.sync(t, store, b, append(s.resources(9, 12, 1), s.resources(3, 6, 2)...), s.Resource(7, 1).Key)
	m.matches(t, store, b)
	m.matches(t, store, store.open(t))
	records := collect(t, b)
	require.Len(t, records, 11)
	for i := 1; i < len(records); i++ {
		require.Negative(t, records[i-1].Compare(records[i].Key))
	}
}

func recordsKeepEveryField(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	m.sync(t, store, b, s.resources(0, 6, 1))

	r := collect(t, b)
	sum := state.Sum([]byte("what was to be"))
	r[0].Orphaned = true
	r[1].Protected = true
	r[2].Replaced = "old \"id\" <&> ü"
	r[3].Pending = []state.Pending{
		{Op: "create", Serial: 7, Checksum: sum, Attempts: 3, Error: "it \"failed\"\n<&> ünïcode\t\\"},
		{Op: "delete", Serial: 8},
	}
	r[3].ID = ""
	r[4].Type, r[4].ConfigID, r[4].ID = "", "config", "an id of the backend's own, with spaces"
	r[5].After = []state.Key{{Kind: "a", Name: "x"}, {Kind: "a", Name: "y/z"}, {Kind: "b-c_d", Name: "ü"}}
	tx, _ := store.begin(t, b)
	m.commit(t, tx, m.record(t, r))
	require.NoError(t, tx.Close(t.Context()))
	m.matches(t, store, b)
	m.matches(t, store, store.open(t))
}

// An iteration shows one serial from its first record to its last, while others
// commit.
func recordsAsOfOneSerial(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	const count = 500
	m.sync(t, store, b, s.resources(0, count, 1))
	before := linesOf(t, m.records)

	var seen []string
	for r, err := range store.open(t).Records(t.Context()) {
		require.NoError(t, err)
		seen = append(seen, jsonOf(t, r))
		switch len(seen) {
		case 1: // through the same handle, several commits, the lease given back
			m.sync(t, store, b, s.resources(0, 20, 2), keysOf(s.resources(30, 40, 1))...)
			m.sync(t, store, b, s.resources(count, count+20, 1))
		case count / 2: // through another one
			m.sync(t, store, store.open(t), s.resources(0, count, 3))
		}
	}
	require.Equal(t, before, seen)
	m.matches(t, store, b)
}

func recordsCanBeLeftEarly(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	m.sync(t, store, b, s.resources(0, 10, 1))
	sequence := b.Records(t.Context())
	for leave := range 3 {
		n := 0
		for _, err := range sequence {
			require.NoError(t, err)
			if n++; n > leave {
				break
			}
		}
		require.Equal(t, leave+1, n, fmt.Sprint("left after ", leave+1))
	}
	n := 0
	for _, err := range sequence {
		require.NoError(t, err)
		n++
	}
	require.Equal(t, 10, n)
}
