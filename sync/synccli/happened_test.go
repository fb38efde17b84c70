package synccli

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
)

func TestHappened(t *testing.T) {
	t.Parallel()
	type records = []state.Record
	record := func(name, id, config string, pending ...state.Pending) state.Record {
		return state.Record{Key: key(name), ID: id, Checksum: state.Sum([]byte(config)), Pending: pending}
	}
	orphan := func(r state.Record) state.Record { r.Orphaned = true; return r }
	a := record("a", "1", "x")
	tests := []struct {
		name          string
		before, after records
		want          map[string]int
	}{
		{"nothing", records{a}, records{a}, nil},
		{"created", nil, records{a}, map[string]int{wasCreated: 1}},
		{"removed", records{a}, nil, map[string]int{wasRemoved: 1}},
		{"updated", records{a}, records{record("a", "1", "y")}, map[string]int{wasUpdated: 1}},
		{"replaced", records{a}, records{record("a", "2", "y")}, map[string]int{wasReplaced: 1}},
		{"moved", records{a}, records{record("b", "1", "x")}, map[string]int{wasMoved: 1}},
		{"moved to the front", records{record("b", "1", "x")}, records{a}, map[string]int{wasMoved: 1}},
		{"one gone, another come", records{a}, records{record("b", "2", "x")}, map[string]int{wasRemoved: 1, wasCreated: 1}},
		{"orphaned", records{a}, records{orphan(a)}, map[string]int{wasOrphaned: 1}},
		{"declared again", records{orphan(a)}, records{a}, map[string]int{wasUpdated: 1}},
		{"begun", nil, records{record("a", "", "", state.Pending{Op: "create", Attempts: 1})}, map[string]int{wasBegun: 1}},
		{"begun again", records{record("a", "", "", state.Pending{Op: "create", Attempts: 1})}, records{record("a", "", "", state.Pending{Op: "create", Attempts: 2})}, map[string]int{wasBegun: 1}},
		{"failed", records{record("a", "1", "x", state.Pending{Op: "update", Attempts: 1})}, records{record("a", "1", "x", state.Pending{Op: "update", Attempts: 1, Error: "no"})}, nil},
		{"created as begun", records{record("a", "", "", state.Pending{Op: "create", Attempts: 1})}, records{a}, map[string]int{wasCreated: 1}},
		{"deployed", records{record("a", "1", "x", state.Pending{Op: "deploy"})}, records{a}, map[string]int{wasDeployed: 1}},
		{"to be deployed", records{a}, records{record("a", "1", "x", state.Pending{Op: "deploy"})}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := happened(test.before, test.after)
			for word, n := range got {
				if n == 0 {
					delete(got, word)
				}
			}
			if test.want == nil {
				test.want = map[string]int{}
			}
			require.Equal(t, test.want, got)
		})
	}
}
