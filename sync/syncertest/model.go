package syncertest

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// model is what a State should hold, and makes the deltas that lead there.
type model struct {
	head     state.Head
	records  []state.Record
	declared map[state.Checksum]state.Resource
}

func newModel(scope state.Scope) *model {
	return &model{
		head:     state.Head{Version: state.DefaultStateVersion, Scope: scope},
		declared: map[state.Checksum]state.Resource{},
	}
}

// put returns the next delta: it records resources, and drops keys. The model
// stays as it is.
func (m *model) put(t *testing.T, resources []state.Resource, dropped ...state.Key) state.Delta {
	t.Helper()
	var records []state.Record
	for _, r := range resources {
		sum, err := r.Checksum()
		require.NoError(t, err)
		id := state.DeriveID(r.String())
		records = append(records, state.Record{
			Key: r.Key, Type: r.Type, ID: id, ConfigID: state.DeriveID(id, sum.String()), Checksum: sum, After: r.Edges(),
		})
	}
	delta := m.record(t, records, dropped...)
	delta.Declared = slices.Clone(resources)
	slices.SortFunc(delta.Declared, func(a, b state.Resource) int { return a.Compare(b.Key) })
	return delta
}

// record returns the next delta: it records records, and drops keys.
func (m *model) record(t *testing.T, records []state.Record, dropped ...state.Key) state.Delta {
	t.Helper()
	delta := state.Delta{Head: m.head, Records: slices.Clone(records), Dropped: slices.Clone(dropped)}
	slices.SortFunc(delta.Records, func(a, b state.Record) int { return a.Compare(b.Key) })
	slices.SortFunc(delta.Dropped, state.Key.Compare)
	delta.Head.Serial++
	delta.Head.ConfigID = state.DeriveID("snapshot", strconv.FormatInt(delta.Head.Serial, 10))
	delta.Head.Revision = fmt.Sprintf("r%d", delta.Head.Serial)
	delta.Head.By = "ada <ada@example.org>"
	delta.Head.When = time.Date(2026, 1, 2, 3, 4, 5, 678, time.UTC).Add(time.Duration(delta.Head.Serial) * time.Hour)
	delta.Head.Kinds = map[string]int{"thing": int(delta.Head.Serial)}
	head, err := state.Seal(delta.Head, m.after(&delta))
	require.NoError(t, err)
	delta.Head = head
	return delta
}

// after returns the records after a delta, whatever its head says.
func (m *model) after(delta *state.Delta) []state.Record {
	byKey := map[state.Key]state.Record{}
	for _, r := range m.records {
		byKey[r.Key] = r
	}
	for _, r := range delta.Records {
		byKey[r.Key] = r
	}
	for _, key := range delta.Dropped {
		delete(byKey, key)
	}
	return sorted(byKey)
}

// take makes the model what it is after the delta.
func (m *model) take(t *testing.T, delta state.Delta) {
	t.Helper()
	m.records = m.after(&delta)
	m.head = delta.Head
	for _, r := range delta.Declared {
		sum, err := r.Checksum()
		require.NoError(t, err)
		m.declared[sum] = r
	}
}

// commit commits a delta, and takes it.
func (m *model) commit(t *testing.T, tx tusync.Tx, delta state.Delta) state.Head {
	t.Helper()
	head, err := tx.Commit(t.Context(), delta)
	require.NoError(t, err)
	m.take(t, delta)
	m.isHead(t, head)
	return head
}

// sync takes the lease, commits a delta, and gives the lease back.
func (m *model) sync(t *testing.T, s *store, b tusync.Backend, resources []state.Resource, dropped ...state.Key) {
	t.Helper()
	tx, head := s.begin(t, b)
	m.isHead(t, head)
	m.commit(t, tx, m.put(t, resources, dropped...))
	require.NoError(t, tx.Close(t.Context()))
}

// matches checks that a handle shows what the model holds.
func (m *model) matches(t *testing.T, s *store, b tusync.Backend) {
	t.Helper()
	head, err := b.Head(t.Context())
	require.NoError(t, err)
	m.isHead(t, head)
	records := collect(t, b)
	require.Equal(t, linesOf(t, m.records), linesOf(t, records))
	if s.lacks(Declarations) {
		return
	}
	var sums []state.Checksum
	for _, r := range records {
		sums = append(sums, r.Checksum)
	}
	found, err := b.Declared(t.Context(), sums)
	require.NoError(t, err)
	for _, r := range records {
		if want, ok := m.declared[r.Checksum]; ok {
			got, there := found[r.Checksum]
			require.True(t, there, "the declaration of %s, which is recorded, is gone", r.Key)
			require.Equal(t, jsonOf(t, want), jsonOf(t, got))
		}
	}
}

// isHead checks that a head is the model's, but for its token, which is the
// backend's.
func (m *model) isHead(t *testing.T, head state.Head) {
	t.Helper()
	if head.Serial == 0 {
		head.Version = m.head.Version // nothing is encoded
	}
	require.Equal(t, jsonOf(t, m.head), jsonOf(t, head))
}
