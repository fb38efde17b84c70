package sync

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

func TestPromise13_WhatChangedBetweenTwoStates(t *testing.T) {
	t.Parallel()
	resources := map[state.Checksum]state.Resource{}
	record := func(name, id, config string) state.Record {
		resource := state.Resource{Key: state.Key{Kind: "server", Name: name}, Config: json.RawMessage(config)}
		sum := state.Sum([]byte(name + config))
		resources[sum] = resource
		return state.Record{Key: resource.Key, ID: id, Checksum: sum}
	}
	orphan := func(r state.Record) state.Record { r.Orphaned = true; return r }
	after := func(r state.Record) state.Record {
		r.After = []state.Key{{Kind: "network", Name: "lan"}}
		return r
	}
	one, two := record("a", "1", `{"size":1}`), record("a", "1", `{"size":2}`)
	unfinished := state.Record{Key: one.Key, Pending: []state.Pending{{Op: "create"}}}
	type states = []state.Record
	tests := []struct {
		name     string
		from, to states
		want     []diff.Op
	}{
		{"nothing", states{one}, states{one}, nil},
		{"new", nil, states{one}, []diff.Op{diff.OpCreate}},
		{"not there yet", nil, states{unfinished}, nil},
		{"there by now", states{unfinished}, states{one}, []diff.Op{diff.OpCreate}},
		{"gone", states{one}, nil, []diff.Op{diff.OpDelete}},
		{"an orphan is gone", states{orphan(one)}, nil, []diff.Op{diff.OpDelete}},
		{"changed", states{one}, states{two}, []diff.Op{diff.OpUpdate}},
		{"other edges", states{one}, states{after(one)}, []diff.Op{diff.OpUpdate}},
		{"orphaned", states{one}, states{orphan(one)}, []diff.Op{diff.OpOrphan}},
		{"an orphan stays", states{orphan(one)}, states{orphan(one)}, nil},
		{"came and is an orphan", nil, states{orphan(one)}, []diff.Op{diff.OpOrphan}},
		{"declared again", states{orphan(one)}, states{one}, []diff.Op{diff.OpUpdate}},
		{"replaced", states{one}, states{record("a", "2", `{"size":1}`)}, []diff.Op{diff.OpReplace}},
		{"moved", states{one}, states{record("b", "1", `{"size":1}`)}, []diff.Op{diff.OpMove}},
		{"another one of that name, and moved", states{one}, states{record("a", "2", `{"size":1}`), record("b", "1", `{"size":1}`)}, []diff.Op{diff.OpCreate, diff.OpMove}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := comparison{resources: resources}
			var ops []diff.Op
			for _, change := range c.compare(existing(test.from), existing(test.to)) {
				ops = append(ops, change.Op())
			}
			require.Equal(t, test.want, ops)
		})
	}
}
