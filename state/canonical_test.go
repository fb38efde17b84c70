package state_test

import (
	"bytes"
	"encoding/json"
	"math"
	"math/big"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
)

func TestCanonicalGivesEqualBytesForEqualMeaning(t *testing.T) {
	t.Parallel()
	for want, equals := range map[string][]string{
		`{"a":1,"b":2}`:                     {` { "b" : 2 , "a" : 1 } `, "{\"b\":2.0,\n\"a\":1e0}"},
		`1`:                                 {`1.0`, `10e-1`, `0.1E+1`, `1e0`, `1.000`},
		`0`:                                 {`-0`, `0.0`, `0e10`, `-0.000e-5`},
		`100`:                               {`1e2`, `100.0`, `1000e-1`},
		`-0.001`:                            {`-1e-3`, `-0.0010`},
		`9007199254740993`:                  {`9007199254740993.0`},
		`9223372036854775807`:               {`9223372036854775807`, `92233720368547758070e-1`},
		`-9223372036854775808`:              {`-9223372036854775808`},
		`18446744073709551615`:              {`18446744073709551615`},
		`1e21`:                              {},
		`1e22`:                              {`10000000000000000000000`, `10e21`},
		`1.5e-7`:                            {`0.00000015`, `15e-8`},
		`0.0000012`:                         {`12e-7`},
		`"a/b"`:                             {`"a\/b"`, `"\u0061/b"`},
		`"é\n\u0001\""`:                     {`"\u00e9\u000a\u0001\u0022"`},
		`"😀"`:                               {`"\ud83d\ude00"`},
		`"<&>"`:                             {`"\u003c&\u003E"`},
		`{"":{},"a":[],"é":[1,{"x":null}]}`: {`{"é":[1,{"x":null}],"a":[ ],"":{}}`, `{"a":[],"\u00e9":[1.0,{"x":null}],"":{ }}`},
		`{"!":1,"\"":2,"#":3}`:              {`{"#":3,"\"":2,"!":1}`},
		`[true,false,null]`:                 {"[true ,false\t,\r\nnull]"},
	} {
		for _, in := range append(equals, want) {
			got, err := state.Canonical(json.RawMessage(in))
			require.NoError(t, err, in)
			require.Equal(t, want, string(got), in)
		}
	}
}

func TestCanonicalRefuses(t *testing.T) {
	t.Parallel()
	for in, message := range map[string]string{
		``:                            "ends early",
		`{`:                           "want a member's name",
		`{"a":1,"a":2}`:               `"a" stands twice`,
		`{"b":1,"a":1,"\u0062":2}`:    `"b" stands twice`,
		`{"a" 1}`:                     "want ':'",
		`[1,]`:                        "unexpected",
		`[1 2]`:                       "want ',' or ']'",
		`01`:                          "malformed number",
		`1.`:                          "malformed number",
		`-`:                           "malformed number",
		`NaN`:                         "unexpected",
		`1e1234567`:                   "out of range",
		`"\ud800"`:                    "half a surrogate pair",
		`"\udc00\ud800"`:              "half a surrogate pair",
		`"\ud800\u0041"`:              "half a surrogate pair",
		`"\x"`:                        "unknown escape",
		`"\u00g0"`:                    "malformed escape",
		"\"\x01\"":                    "control character 0x01",
		"\"\xff\"":                    "not valid UTF-8",
		`"open`:                       "ends early",
		`{} {}`:                       "after the JSON value",
		strings.Repeat("[", 2000):     "nested deeper than 1000",
		strings.Repeat(`{"a":`, 1001): "nested deeper than 1000",
		`{"a":1}x`:                    "after the JSON value",
		`tru`:                         "unexpected",
		`1 x`:                         "after the JSON value",
		`{"a":1` + "\x00" + `,"b":2}`: "in an object",
	} {
		_, err := state.Canonical(json.RawMessage(in))
		require.ErrorContains(t, err, message, "%.40q", in)
	}
}

func TestCanonicalReturnsCanonicalBytesAsTheyAre(t *testing.T) {
	raw := json.RawMessage(`{"a":[1,2.5,"x"],"b":{"c":null}}`)
	got, err := state.Canonical(raw)
	require.NoError(t, err)
	require.Same(t, &raw[0], &got[0])
	allocations := testing.AllocsPerRun(100, func() {
		if _, err := state.Canonical(raw); err != nil {
			t.Error(err)
		}
	})
	require.True(t, allocations == 0 || raceDetector, "%v allocations", allocations)
}

func TestAppendCanonicalTakesGoValues(t *testing.T) {
	t.Parallel()
	type named string
	zone := time.FixedZone("", 3600)
	one := 1
	for _, c := range []struct {
		value any
		want  string
	}{
		{nil, `null`},
		{int8(-5), `-5`},
		{uint64(math.MaxUint64), `18446744073709551615`},
		{int64(math.MinInt64), `-9223372036854775808`},
		{1.0, `1`},
		{0.1, `0.1`},
		{float32(0.1), `0.1`},
		{1e300, `1e300`},
		{math.SmallestNonzeroFloat64, `5e-324`},
		{math.Copysign(0, -1), `0`},
		{float64(1 << 60), `1152921504606846976`},
		{named("x"), `"x"`},
		{&one, `1`},
		{(*int)(nil), `null`},
		{[]string(nil), `null`},
		{[]string{}, `[]`},
		{[2]int{1, 2}, `[1,2]`},
		{map[named]int{"b": 1, "a": 2}, `{"a":2,"b":1}`},
		{map[string]any{"\"": 1, "!": 2, "#": 3}, `{"!":2,"\"":1,"#":3}`},
		{json.Number("1.50"), `1.5`},
		{json.RawMessage(` {"b":1, "a":2}`), `{"a":2,"b":1}`},
		{time.Date(2020, 1, 1, 1, 0, 0, 500, zone), `"2020-01-01T00:00:00.0000005Z"`},
		{pointer(time.Date(2020, 1, 1, 1, 0, 0, 0, zone)), `"2020-01-01T00:00:00Z"`},
		{(*time.Time)(nil), `null`},
		{big.NewInt(7), `"7"`},
		{state.Sum(nil), `"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"`},
	} {
		got, err := state.AppendCanonical([]byte("x"), c.value)
		require.NoError(t, err, "%#v", c.value)
		require.Equal(t, "x"+c.want, string(got), "%#v", c.value)
	}
	for _, bad := range []any{math.NaN(), math.Inf(1), "\xff", struct{ A int }{1}, map[int]int{1: 1}, make(chan int), json.Number("x"), map[string]any{"\xff": 1}, time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)} {
		_, err := state.AppendCanonical(nil, bad)
		require.Error(t, err, "%#v", bad)
	}
}

func pointer[T any](v T) *T { return &v }

// FuzzCanonical holds: what is canonical stays so, means what it meant, and has
// the bytes of everything that means the same.
func FuzzCanonical(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,2.50,-0,1e400],"b":{"c":null,"":"é\ud83d\ude00\n"}}`, `"\u0000\u001f\/"`, `[[[]]]`, `123456789012345678901234567890e-10`,
		`{"\"":1,"!":2}`, `1e-7`, `{"a":1,"a":1}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		canonical, err := state.Canonical(data)
		if err != nil || hugeExponent.Match(data) {
			return
		}
		if !json.Valid(data) {
			t.Fatalf("took %q, which is not JSON", data)
		}
		again, err := state.Canonical(bytes.Clone(canonical))
		if err != nil || !bytes.Equal(again, canonical) {
			t.Fatalf("%q is canonical, and its canonical form is %q, %v", canonical, again, err)
		}
		before, after := meaning(t, data), meaning(t, canonical)
		if !reflect.DeepEqual(before, after) {
			t.Fatalf("%q means %v, its canonical form %q means %v", data, before, canonical, after)
		}
		// Written in any other way, the same meaning has the same bytes.
		var indented bytes.Buffer
		if json.Indent(&indented, canonical, " ", "\t") == nil {
			if third, err := state.Canonical(indented.Bytes()); err != nil || !bytes.Equal(third, canonical) {
				t.Fatalf("indented, %q becomes %q, %v", canonical, third, err)
			}
		}
		if fromGo, err := state.AppendCanonical(nil, decode(t, data)); err != nil || !bytes.Equal(fromGo, canonical) {
			t.Fatalf("as a Go value, %q becomes %q, %v", data, fromGo, err)
		}
		n := 0
		for name, value := range state.Members(canonical) {
			if _, err := state.Canonical(bytes.Clone(value)); err != nil {
				t.Fatalf("the member %q of %q is %q: %v", name, canonical, value, err)
			}
			n++
		}
		if object, ok := before.(map[string]any); ok && n != len(object) {
			t.Fatalf("%q has %d members, Members found %d", canonical, len(object), n)
		}
	})
}

// FuzzCanonicalPairs holds: equal bytes if and only if equal meaning.
func FuzzCanonicalPairs(f *testing.F) {
	f.Add([]byte(`{"a":1}`), []byte(`{"a":1.0}`))
	f.Add([]byte(`{"A":"1b:2","B":"3"}`), []byte(`{"A":"1","B":"2b:3"}`))
	f.Add([]byte(`[]`), []byte(`{}`))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		x, err := state.Canonical(a)
		if err != nil {
			return
		}
		y, err := state.Canonical(b)
		if err != nil || hugeExponent.Match(a) || hugeExponent.Match(b) {
			return
		}
		if bytes.Equal(x, y) != reflect.DeepEqual(meaning(t, a), meaning(t, b)) {
			t.Fatalf("%q and %q", a, b)
		}
	})
}

func FuzzMembersNeverPanics(f *testing.F) {
	f.Add([]byte(`{"a":1,"b":[1,{"c":"}"}]}`))
	f.Add([]byte(`["\\`))
	f.Fuzz(func(_ *testing.T, data []byte) {
		for range state.Members(data) {
		}
		for range state.Elements(data) {
		}
	})
}

func decode(t *testing.T, data []byte) any {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("decode %q: %v", data, err)
	}
	return v
}

// hugeExponent finds numbers whose exact fraction would fill the memory.
var hugeExponent = regexp.MustCompile(`[eE][+-]?0*[1-9][0-9]{3}`)

// meaning decodes JSON with numbers as exact fractions.
func meaning(t *testing.T, data []byte) any {
	var exact func(v any) any
	exact = func(v any) any {
		switch v := v.(type) {
		case json.Number:
			r, ok := new(big.Rat).SetString(string(v))
			if !ok {
				t.Fatalf("number %q", v)
			}
			return "number " + r.RatString()
		case []any:
			for i := range v {
				v[i] = exact(v[i])
			}
		case map[string]any:
			for name := range v {
				v[name] = exact(v[name])
			}
		}
		return v
	}
	return exact(decode(t, data))
}
