package diff_test

import (
	"cmp"
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
			Prior:    before, Target: diff.Target{Desired: now, Checksum: state.Sum([]byte("now"))},
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
	//     region: "eu" (default) → "us"
	//     token: (sensitive) → (sensitive)
	// ! server/old [s-0] is no longer declared: it stays, as an orphan
	// Plan: 1 to update, 1 no longer declared, 12 unchanged.
}

// JSONOf is the same for programs.
func ExampleJSONOf() {
	web := &state.Resource{Key: state.Key{Kind: "server", Name: "web"}, Config: json.RawMessage(`{"region":"us"}`)}
	out, err := json.Marshal(diff.JSONOf(&diff.Create{Target: diff.Target{Desired: web}}, nil))
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

// What is recorded of a secret is a digest; who acts gets the secret back, and
// IDs in place of names.
func ExampleSchema_Conceal() {
	schema := &diff.Schema{Fields: []diff.SchemaField{
		{Name: "network", Value: diff.Value{Type: diff.Text, Ref: "network"}},
		{Name: "replicas", Value: diff.Value{Type: diff.Int}, Unmanaged: true},
		{Name: "token", Value: diff.Value{Type: diff.Text}, Sensitive: true},
	}}
	config := json.RawMessage(`{"network":"main","replicas":3,"token":"hunter2"}`)
	recorded := schema.Conceal(config, nil, func(path string, _ json.RawMessage) json.RawMessage {
		return json.RawMessage(`"digest of ` + path + `"`)
	})
	fmt.Println(string(recorded))

	values := map[string]json.RawMessage{}
	for path, secret := range schema.Secrets(config) {
		values[path] = secret
	}
	for _, ref := range schema.Refs(config) {
		fmt.Println(ref.Path, "is", ref.To)
		values[ref.Path] = json.RawMessage(`"n-17"`)
	}
	fmt.Println(string(diff.Substitute(recorded, values)))
	// Output:
	// {"network":"main","token":"digest of token"}
	// network is network/main
	// {"network":"n-17","token":"hunter2"}
}

// A value in a Config, by its path.
func ExampleLookup() {
	value, found := diff.Lookup(json.RawMessage(`{"disks":[{"size":10},{"size":20}]}`), "disks[1].size")
	fmt.Println(string(value), found)
	// Output:
	// 20 true
}

// An edit of the declaration, an edit behind our back, and what the server made
// up itself.
func ExampleDrift() {
	recorded := &state.Resource{Config: json.RawMessage(`{"image":"web:1","region":"eu"}`)}
	desired := &state.Resource{Config: json.RawMessage(`{"image":"web:2","region":"eu"}`)}
	live := json.RawMessage(`{"image":"web:1","region":"us","uptime":12}`)
	for _, field := range diff.MergeDrift(diff.Fields(recorded, desired, nil), diff.Drift(recorded, live, nil)) {
		fmt.Printf("%s: recorded %s, declared %s, live %s, drifted %t\n", field.Path, field.Old, field.New, cmp.Or(string(field.Live), "the same"), field.Drifted)
	}
	// Output:
	// config.image: recorded "web:1", declared "web:2", live the same, drifted false
	// config.region: recorded "eu", declared "eu", live "us", drifted true
}

// Which fields make an update a replace.
func ExampleSchema_ImmutableFields() {
	schema := &diff.Schema{Fields: []diff.SchemaField{
		{Name: "image", Value: diff.Value{Type: diff.Text}},
		{Name: "region", Value: diff.Value{Type: diff.Text}, Immutable: true},
	}}
	before := &state.Resource{Config: json.RawMessage(`{"image":"web:1","region":"eu"}`)}
	now := &state.Resource{Config: json.RawMessage(`{"image":"web:2","region":"us"}`)}
	for _, field := range schema.ImmutableFields(diff.Fields(before, now, schema)) {
		fmt.Println(field.Path)
	}
	// Output:
	// config.region
}

// What differs between two texts, with a line of context.
func ExampleLines() {
	lines := diff.Lines("a\nb\nc\nd\ne\n", "a\nb\nc\nD\ne\n")
	for _, line := range diff.Shorten(lines, 1, 100) {
		if line.Op == diff.LineOmitted {
			fmt.Println(line.Op, line.Omitted, "lines")
			continue
		}
		fmt.Print(line.Op, line.Text)
	}
	// Output:
	// … 2 lines
	//  c
	// -d
	// +D
	//  e
}
