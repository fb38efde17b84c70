package syncertest

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// jsonOf returns a value as JSON: two values that mean the same are equal then,
// and a difference can be read.
func jsonOf(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	require.NoError(t, err)
	return string(text)
}

// linesOf returns records as JSON, one by one.
func linesOf(t *testing.T, records []state.Record) []string {
	t.Helper()
	lines := make([]string, len(records))
	for i := range records {
		lines[i] = jsonOf(t, records[i])
	}
	return lines
}

// collect reads all records.
func collect(t *testing.T, b tusync.Backend) []state.Record {
	t.Helper()
	var records []state.Record
	for r, err := range b.Records(t.Context()) {
		require.NoError(t, err)
		records = append(records, r)
	}
	return records
}

// sorted returns records in key order.
func sorted(byKey map[state.Key]state.Record) []state.Record {
	return slices.SortedFunc(maps.Values(byKey), func(a, b state.Record) int { return a.Compare(b.Key) })
}

// byKey returns records by their keys.
func byKey(records []state.Record) map[state.Key]state.Record {
	index := make(map[state.Key]state.Record, len(records))
	for _, r := range records {
		index[r.Key] = r
	}
	return index
}

func keysOf(resources []state.Resource) []state.Key {
	keys := make([]state.Key, len(resources))
	for i := range resources {
		keys[i] = resources[i].Key
	}
	return keys
}
