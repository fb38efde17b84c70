package state_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
)

// What is wrong with a delta by itself is told before anything is done with it.
func TestDeltaValidate(t *testing.T) {
	t.Parallel()
	shop := state.Scope{Org: "acme", App: "shop"}
	key := func(name string) state.Key { return state.Key{Kind: "server", Name: name} }
	record := func(names ...string) (records []state.Record) {
		for _, name := range names {
			records = append(records, state.Record{Key: key(name)})
		}
		return records
	}
	head := state.Head{Version: state.DefaultStateVersion, Scope: shop}
	for want, d := range map[string]state.Delta{
		"":                                {Head: head, Records: record("a", "c"), Dropped: []state.Key{key("b"), key("d")}},
		"it is one of acme/other":         {Head: state.Head{Version: state.DefaultStateVersion, Scope: state.Scope{Org: "acme", App: "other"}}},
		`it is of version "v9"`:           {Head: state.Head{Version: "v9", Scope: shop}},
		"server/b and server/a are not":   {Head: head, Records: record("b", "a")},
		"server/a and server/a are not":   {Head: head, Records: record("a", "a")},
		"both records and drops server/b": {Head: head, Records: record("a", "b"), Dropped: []state.Key{key("a0"), key("b")}},
		"drops are not in key order":      {Head: head, Dropped: []state.Key{key("b"), key("a")}},
		"a server without a name":         {Head: head, Records: record("")},
		"holds a control character":       {Head: head, Dropped: []state.Key{key("a\n")}},
	} {
		err := d.Validate(shop)
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, want)
		require.ErrorAs(t, err, new(*state.DeltaError))
	}
}
