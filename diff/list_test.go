package diff_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

func TestFieldsOfLists(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, old, desired string
		want               []string
	}{
		{"one in front", `[1,2,3]`, `[0,1,2,3]`, []string{`config.x[0]:  -> 0`}},
		{"one at the end", `[1,2,3]`, `[1,2,3,4]`, []string{`config.x[3]:  -> 4`}},
		{"one less in front", `[1,2,3]`, `[2,3]`, []string{`config.x[0]: 1 -> `}},
		{"one less in the middle", `[1,2,3]`, `[1,3]`, []string{`config.x[1]: 2 -> `}},
		{"one changed", `[1,2,3]`, `[1,9,3]`, []string{`config.x[1]: 2 -> 9`}},
		{"one in front, one changed", `[1,2,3]`, `[0,1,9,3]`, []string{`config.x[0]:  -> 0`, `config.x[2]: 2 -> 9`}},
		{"one gone, one come", `[1,2,3,4,5]`, `[2,3,4,5,6]`, []string{`config.x[0]: 1 -> `, `config.x[4]:  -> 6`}},
		{"one of the same more", `[1,1]`, `[1,1,1]`, []string{`config.x[2]:  -> 1`}},
		{"two swapped", `[1,2]`, `[2,1]`, []string{`config.x[0]: 1 -> `, `config.x[1]:  -> 1`}},
		{"repeated ones", `["a","b","a","b","c"]`, `["b","a","b","x","c"]`, []string{`config.x[0]: "a" -> `, `config.x[3]:  -> "x"`}},
		{"all others", `[1,2]`, `[3,4,5]`, []string{`config.x[0]: 1 -> 3`, `config.x[1]: 2 -> 4`, `config.x[2]:  -> 5`}},
		{"from none", `[]`, `[1]`, []string{`config.x: [] -> `, `config.x[0]:  -> 1`}},
		{"an object with a name, in front", `[{"name":"a","v":1}]`, `[{"name":"b","v":2},{"name":"a","v":3}]`,
			[]string{`config.x[0].name:  -> "b"`, `config.x[0].v:  -> 2`, `config.x[1].v: 1 -> 3`}},
		{"an object with a key, gone", `[{"key":"b","v":2},{"key":"a","v":1}]`, `[{"key":"a","v":3}]`,
			[]string{`config.x[0].key: "b" -> `, `config.x[0].v: 2 -> `, `config.x[0].v: 1 -> 3`}},
		{"an id before a name", `[{"id":1,"name":"a"},{"id":2,"name":"b"}]`, `[{"id":3,"name":"a"},{"id":1,"name":"c"},{"id":2,"name":"b"}]`,
			[]string{`config.x[0].id:  -> 3`, `config.x[0].name:  -> "a"`, `config.x[1].name: "a" -> "c"`}},
		{"a name that stands twice is none", `[{"name":"a","v":1},{"name":"a","v":2}]`, `[{"name":"a","v":0},{"name":"a","v":1},{"name":"a","v":2}]`,
			[]string{`config.x[0].name:  -> "a"`, `config.x[0].v:  -> 0`}},
		{"names that are all the same tell nothing", `[{"name":"a","p":1,"q":1,"r":1},{"name":"a","p":2,"q":2,"r":2},{"name":"a","p":3,"q":3,"r":3}]`,
			`[{"name":"a","p":2,"q":2,"r":2},{"name":"a","p":3,"q":3,"r":3},{"name":"a","p":4,"q":4,"r":4}]`, []string{
				`config.x[0].name: "a" -> `, `config.x[0].p: 1 -> `, `config.x[0].q: 1 -> `, `config.x[0].r: 1 -> `,
				`config.x[2].name:  -> "a"`, `config.x[2].p:  -> 4`, `config.x[2].q:  -> 4`, `config.x[2].r:  -> 4`,
			}},
		{"renamed in place", `[{"name":"a","v":1}]`, `[{"name":"b","v":1}]`, []string{`config.x[0].name: "a" -> "b"`}},
		{"a rename is shorter than a move", `[{"a":1,"b":1,"name":"x"},{"a":1,"b":1,"name":"y"}]`, `[{"a":1,"b":1,"name":"y"},{"a":1,"b":1,"name":"z"}]`,
			[]string{`config.x[0].name: "x" -> "y"`, `config.x[1].name: "y" -> "z"`}},
		{"lists in lists", `[[1,2],[3,4]]`, `[[0,1,2],[3,4,5]]`, []string{`config.x[0][0]:  -> 0`, `config.x[1][2]:  -> 5`}},
		{"of everything", `[1,"a",null,{}]`, `["a",null,{},[]]`, []string{`config.x[0]: 1 -> `, `config.x[3]:  -> []`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, fields(`{"x":`+c.old+`}`, `{"x":`+c.desired+`}`))
		})
	}
}

func TestFieldsOfListsAreNotMatchedByASecret(t *testing.T) {
	t.Parallel()
	text := diff.Value{Type: diff.Text}
	schema := &diff.Schema{Fields: []diff.SchemaField{{Name: "x", Value: diff.Value{Type: diff.List, Elem: &diff.Value{
		Type: diff.Object, Object: &diff.Schema{Fields: []diff.SchemaField{{Name: "id", Value: text, Sensitive: true}, {Name: "v", Value: text}}},
	}}}}}
	of := func(list string) *state.Resource { return &state.Resource{Config: raw(`{"x":` + list + `}`)} }
	got := diff.Fields(of(`[{"id":"1","v":"a"},{"id":"2","v":"b"}]`), of(`[{"id":"2","v":"c"}]`), schema)
	require.Equal(t, []diff.Field{
		{Path: "config.x[0].id", Sensitive: true}, {Path: "config.x[0].v", Old: raw(`"a"`), New: raw(`"c"`)},
		{Path: "config.x[1].id", Sensitive: true}, {Path: "config.x[1].v", Old: raw(`"b"`)},
	}, got)
}

// A hundred insertions and removals in a long list are just that.
func TestFieldsOfLongLists(t *testing.T) {
	t.Parallel()
	var old, desired []string
	for i := range 10_000 {
		switch element := fmt.Sprint(i); {
		case i%200 == 0:
			old = append(old, element)
		case i%200 == 100:
			desired = append(desired, element)
		default:
			old, desired = append(old, element), append(desired, element)
		}
	}
	require.Len(t, fields(`{"x":[`+strings.Join(old, ",")+`]}`, `{"x":[`+strings.Join(desired, ",")+`]}`), 100)
}

// What stands once between two anchors is one itself.
func TestFieldsOfLongListsOfRepeatedParts(t *testing.T) {
	t.Parallel()
	var part []string
	for i := range 1_000 {
		part = append(part, fmt.Sprint(i))
	}
	numbers := strings.Join(part, ",")
	require.Equal(t, []string{`config.x[0]:  -> "a"`, `config.x[1001]:  -> "b"`, `config.x[1003]:  -> "c"`, `config.x[2004]:  -> "d"`},
		fields(`{"x":[`+numbers+`,"middle",`+numbers+`]}`, `{"x":["a",`+numbers+`,"b","middle","c",`+numbers+`,"d"]}`))
}

// What has no element that stands just once is not worth more than so much work:
// the worst that can be is the comparison index by index.
func TestFieldsOfLongListsWithoutAnchors(t *testing.T) {
	t.Parallel()
	list := func(n, period int) string {
		var elements []string
		for i := range n {
			elements = append(elements, fmt.Sprint(i%period))
		}
		return strings.Join(elements, ",")
	}
	old, desired := `[7,`+list(10_000, 7)+`,9]`, `[8,`+list(9_000, 5)+`,6]`
	require.LessOrEqual(t, len(fields(`{"x":`+old+`}`, `{"x":`+desired+`}`)), indexByIndex(raw(old), raw(desired)))
}

// indexByIndex counts the fields that two values come to if their lists are
// compared index by index.
func indexByIndex(old, desired json.RawMessage) int {
	open := func(v json.RawMessage) byte {
		if len(v) > 2 && (v[0] == '[' || v[0] == '{') {
			return v[0]
		}
		return 0
	}
	switch {
	case string(old) == string(desired):
		return 0
	case open(old) == open(desired) && open(old) == 0:
		return 1
	case len(old) > 0 && len(desired) > 0 && open(old) != open(desired):
		return indexByIndex(old, nil) + indexByIndex(nil, desired)
	}
	n := 0
	if max(open(old), open(desired)) == '[' {
		olds, news := slices.Collect(state.Elements(old)), slices.Collect(state.Elements(desired))
		for i := range max(len(olds), len(news)) {
			n += indexByIndex(at(olds, i), at(news, i))
		}
		return n
	}
	members := map[string][2]json.RawMessage{}
	for name, value := range state.Members(old) {
		members[string(name)] = [2]json.RawMessage{value, nil}
	}
	for name, value := range state.Members(desired) {
		members[string(name)] = [2]json.RawMessage{members[string(name)][0], value}
	}
	for _, m := range members {
		n += indexByIndex(m[0], m[1])
	}
	return n
}

func at(list []json.RawMessage, i int) json.RawMessage {
	if i < len(list) {
		return list[i]
	}
	return nil
}

// FuzzFields holds: what is equal has no field, what differs has one at least,
// and never more than index by index; and it is the same every time.
func FuzzFields(f *testing.F) {
	for _, seed := range [][2]string{
		{`[1,2,3]`, `[0,1,2,3]`},
		{`[{"id":1,"v":[1,2]},{"id":2}]`, `[{"id":2,"v":{}},{"id":1,"v":[2]}]`},
		{`[[[1],2],{"a":[]}]`, `[2,[[],1],{"a":{}}]`},
		{`{"a":[1,1,2,1]}`, `{"a":[1,2,1,1]}`},
		{`[{"name":"a","x":1,"y":1},{"name":"b","x":1,"y":1}]`, `[{"name":"b","x":1,"y":1},{"name":"a","x":1,"y":1}]`},
	} {
		f.Add([]byte(seed[0]), []byte(seed[1]))
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		old, err := state.Canonical(a)
		if err != nil {
			return
		}
		desired, err := state.Canonical(b)
		if err != nil {
			return
		}
		of := func(v json.RawMessage) *state.Resource {
			return &state.Resource{Config: json.RawMessage(`{"x":` + string(v) + `}`)}
		}
		got := diff.Fields(of(old), of(desired), nil)
		require.Equal(t, string(old) == string(desired), len(got) == 0)
		require.LessOrEqual(t, len(got), indexByIndex(old, desired), "%v", got)
		require.Equal(t, got, diff.Fields(of(old), of(desired), nil))
	})
}

// FuzzFieldsOfAListLeadToTheOther holds: whoever removes what is removed, adds
// what is added and changes the rest has the new list.
func FuzzFieldsOfAListLeadToTheOther(f *testing.F) {
	f.Add([]byte("abc"), []byte("xabc"))
	f.Add([]byte("abcabca"), []byte("cabbac"))
	f.Add([]byte("aab"), []byte("baaxaab"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		texts := func(bytes []byte) []string {
			list := make([]string, len(bytes))
			for i, c := range bytes {
				list[i] = fmt.Sprint(c)
			}
			return list
		}
		old, want := texts(a), texts(b)
		of := func(list []string) *state.Resource {
			return &state.Resource{Config: json.RawMessage(`{"x":[` + strings.Join(list, ",") + `]}`)}
		}
		if len(old) == 0 || len(want) == 0 {
			return // an empty list is a value of its own
		}
		changed, added := map[int]string{}, map[int]string{}
		for _, field := range diff.Fields(of(old), of(want), nil) {
			var i int
			_, err := fmt.Sscanf(field.Path, "config.x[%d]", &i)
			require.NoError(t, err)
			switch {
			case field.New == nil:
				require.Equal(t, old[i], string(field.Old))
				old[i] = ""
			case field.Old == nil:
				added[i] = string(field.New)
			default:
				changed[i] = string(field.New)
			}
		}
		kept := slices.DeleteFunc(old, func(element string) bool { return element == "" })
		var got []string
		for i := range want {
			if element, ok := added[i]; ok {
				got = append(got, element)
				continue
			}
			require.NotEmpty(t, kept)
			element := kept[0]
			if to, ok := changed[i]; ok {
				element = to
			}
			got, kept = append(got, element), kept[1:]
		}
		require.Equal(t, want, got)
		require.Empty(t, kept)
	})
}
