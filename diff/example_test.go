package diff_test

import (
	"encoding/json"
	"fmt"
	"iter"
	"os"
	"slices"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// What is declared is joined with what is recorded; both in key order.
func ExampleJoin() {
	web := &state.Resource{Key: state.Key{Kind: "server", Name: "web"}}
	sum, err := web.Checksum()
	if err != nil {
		fmt.Println(err)
		return
	}
	declared := []diff.Declared{{Resource: web, Checksum: sum}}
	var recorded iter.Seq2[state.Record, error] = func(yield func(state.Record, error) bool) {
		yield(state.Record{Key: state.Key{Kind: "server", Name: "old"}, ID: "s-17"}, nil)
	}
	for change, err := range diff.Join(slices.Values(declared), recorded) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(change.Op(), change.Key())
	}
	// Output:
	// orphan server/old
	// create server/web
}

// A plan for people. The schema keeps the secret out of it.
func ExampleWriteText() {
	schema := &diff.Schema{Fields: []diff.SchemaField{
		{Name: "region", Value: diff.Value{Type: diff.Text}, Default: json.RawMessage(`"eu"`)},
		{Name: "token", Value: diff.Value{Type: diff.Text}, Sensitive: true},
	}}
	web := state.Key{Kind: "server", Name: "web"}
	before := &state.Resource{Key: web, Config: json.RawMessage(`{"token":"hunter2"}`)}
	now := &state.Resource{Key: web, Config: json.RawMessage(`{"region":"us","token":"correct horse"}`)}
	changes := []diff.Change{
		&diff.Update{
			Recorded: &state.Record{Key: web, ID: "s-1", Checksum: state.Sum([]byte("before"))},
			Prior:    before, Desired: now, Checksum: state.Sum([]byte("now")),
			Fields: diff.Fields(before, now, schema),
		},
		&diff.Orphan{Recorded: &state.Record{Key: state.Key{Kind: "server", Name: "old"}, ID: "s-0"}},
	}
	schemas := func(string) *diff.Schema { return schema }
	if err := diff.WriteText(os.Stdout, slices.Values(changes), schemas, 12, nil); err != nil {
		fmt.Println(err)
	}
	// Output:
	// ~ server/web
	//     config.region: "eu" (default) → "us"
	//     config.token: (sensitive) → (sensitive)
	// ! server/old [s-0] is no longer declared: it stays, as an orphan
	// Plan: 1 to update, 1 no longer declared, 12 unchanged.
}

// JSONOf is the same for programs.
func ExampleJSONOf() {
	web := &state.Resource{Key: state.Key{Kind: "server", Name: "web"}, Config: json.RawMessage(`{"region":"us"}`)}
	out, err := json.Marshal(diff.JSONOf(&diff.Create{Desired: web}, nil))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(out))
	// Output:
	// {"op":"create","key":"server/web","fields":[{"path":"config.region","new":"us"}]}
}

// A Config under its schema: defaults are left out, mistakes have a path.
func ExampleSchema_Normalize() {
	schema := &diff.Schema{Fields: []diff.SchemaField{
		{Name: "region", Value: diff.Value{Type: diff.Text}, Default: json.RawMessage(`"eu"`)},
		{Name: "size", Value: diff.Value{Type: diff.Int}, Required: true},
	}}
	config, _ := schema.Normalize(json.RawMessage(`{"size": 2.0, "region": "eu"}`))
	fmt.Println(string(config))
	_, mistakes := schema.Normalize(json.RawMessage(`{"regoin": "us"}`))
	for _, mistake := range mistakes {
		fmt.Println(mistake)
	}
	// Output:
	// {"size":2}
	// regoin: unknown field; did you mean "region"?
	// size: is required
}

// The order in which things can be made, or what is wrong with it.
func ExampleNewGraph() {
	api := &state.Resource{Key: state.Key{Kind: "app", Name: "api"}, After: []state.Key{{Kind: "app", Name: "db"}}}
	db := &state.Resource{Key: state.Key{Kind: "app", Name: "db"}}
	declared := []diff.Declared{{Resource: api, Edges: api.Edges()}, {Resource: db}}
	graph, err := diff.NewGraph(declared)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, node := range graph.Order() {
		fmt.Println(declared[node].Resource.Key)
	}
	db.After = []state.Key{api.Key}
	declared[1].Edges = db.Edges()
	_, err = diff.NewGraph(declared)
	fmt.Println(err)
	// Output:
	// app/db
	// app/api
	// a dependency cycle: app/api → app/db → app/api
}
