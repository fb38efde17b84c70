package sync_test

import (
	"encoding/json"
	"math/big"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/sync"
)

type common struct {
	Region string `toml:"region" sync:"default=eu-west"`
}

type server struct {
	common
	Address   string            `toml:"address" sync:"required"`
	Replicas  int               `toml:"replicas" sync:"default=2"`
	Ratio     float64           `json:"ratio,omitempty"`
	Up        *bool             // absent is not false
	Since     time.Time         `toml:"since"`
	Addr      netip.Addr        `toml:"addr"`
	Ports     []port            `toml:"ports"`
	Labels    map[string]string `toml:"labels" sync:"omitempty"`
	Probe     probe             `toml:"probe"`
	Fallback  *probe            `toml:"fallback"`
	HTTPProxy any
	Raw       json.RawMessage
	Internal  string `toml:"-"`
}

type port struct {
	Number   int    `toml:"number" sync:"required"`
	Protocol string `toml:"protocol" sync:"default=tcp"`
}

type probe struct {
	Path string
	Wait int `sync:"default=5"`
}

func TestDefineMakesASchemaOfAStruct(t *testing.T) {
	t.Parallel()
	set := sync.Kinds(sync.Define[server]("server"))
	require.NoError(t, set.Err())
	schema := set.Schema("server")
	require.Equal(t, []string{"addr", "address", "fallback", "http_proxy", "labels", "ports", "probe", "ratio", "raw", "region", "replicas", "since", "up"}, schema.Names())
	require.Equal(t, diff.Text, schema.Field("addr").Type)
	require.Equal(t, `"eu-west"`, string(schema.Field("region").Default))
	require.True(t, schema.Field("address").Required)
	require.Nil(t, schema.Field("up").Default)
	require.Equal(t, diff.Time, schema.Field("since").Type)
	require.Equal(t, `"tcp"`, string(schema.Field("ports").Elem.Object.Field("protocol").Default))
}

func TestResourceFromAGoValue(t *testing.T) {
	t.Parallel()
	set := sync.Kinds(sync.Define[server]("server"))
	no := false
	for _, c := range []struct {
		name  string
		value any
		want  string
	}{
		{"defaults are left out", server{common: common{Region: "eu-west"}, Address: "a", Replicas: 2}, `{"address":"a"}`},
		{"a zero value is absent", server{Address: "a"}, `{"address":"a"}`},
		{"but not in JSON", json.RawMessage(`{"address":"a","replicas":0,"region":""}`), `{"address":"a","region":"","replicas":0}`},
		{"a pointer", &server{Address: "a", common: common{"eu-west"}, Replicas: 2, Up: &no}, `{"address":"a","up":false}`},
		{"nested", server{Address: "a", common: common{"us"}, Replicas: 2, Ports: []port{{80, "tcp"}, {53, "udp"}}, Probe: probe{"/", 5}, Fallback: &probe{Wait: 5}},
			`{"address":"a","fallback":{},"ports":[{"number":80},{"number":53,"protocol":"udp"}],"probe":{"path":"/"},"region":"us"}`},
		{"an empty list is not none", server{Address: "a", common: common{"eu-west"}, Replicas: 2, Ports: []port{}, Labels: map[string]string{}}, `{"address":"a","ports":[]}`},
		{"time and text", server{Address: "a", common: common{"eu-west"}, Replicas: 2, Since: time.Unix(0, 0), Addr: netip.MustParseAddr("::1")},
			`{"addr":"::1","address":"a","since":"1970-01-01T00:00:00Z"}`},
		{"anything", server{Address: "a", common: common{"eu-west"}, Replicas: 2, HTTPProxy: map[string]any{"b": 1, "a": []int{}}, Raw: json.RawMessage(`{"y": 1.0}`)},
			`{"address":"a","http_proxy":{"a":[],"b":1},"raw":{"y":1}}`},
		{"a map", map[string]any{"address": "a", "replicas": 3}, `{"address":"a","replicas":3}`},
		{"JSON", json.RawMessage(`{"replicas":2,"address":"a"}`), `{"address":"a"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, err := set.Resource("server", "web", c.value)
			require.NoError(t, err)
			require.Equal(t, c.want, string(r.Config))
		})
	}
	type exact struct {
		N  big.Int
		P  *big.Int
		At *time.Time
	}
	numbers := sync.Kinds(sync.Define[exact]("exact"))
	require.NoError(t, numbers.Err())
	at := time.Date(2020, 1, 1, 1, 0, 0, 0, time.FixedZone("", 3600))
	r, err := numbers.Resource("exact", "x", exact{N: *big.NewInt(5), P: big.NewInt(7), At: &at})
	require.NoError(t, err)
	require.Equal(t, `{"at":"2020-01-01T00:00:00Z","n":"5","p":"7"}`, string(r.Config))
	r, err = numbers.Resource("exact", "x", json.RawMessage(`{"at":"2020-01-01T01:00:00.000+01:00"}`))
	require.NoError(t, err)
	require.Equal(t, `{"at":"2020-01-01T00:00:00Z"}`, string(r.Config), "one instant, one form")
	for message, value := range map[string]any{
		"address: must not be empty":                    server{},
		"want a sync_test.server, got a sync_test.port": port{},
		"is not a number that can be recorded":          map[string]any{"ratio": nan()},
		"replicas: want a whole number":                 map[string]any{"address": "a", "replicas": 1.5},
		"want an object, found nothing":                 nil,
	} {
		_, err := set.Resource("server", "web", value)
		require.ErrorContains(t, err, message)
		var wrong sync.SyncErr
		require.ErrorAs(t, err, &wrong)
	}
	_, err = set.Resource("sever", "web", server{})
	require.ErrorIs(t, err, sync.ErrUnknownKind)
	_, err = set.Resource("server", "", server{Address: "a"})
	require.ErrorContains(t, err, "a server without a name")
}

func nan() float64 { zero := 0.0; return zero / zero }

func TestDefineRejectsWhatIsNotHonoured(t *testing.T) {
	t.Parallel()
	type ring struct{ Next []*ring }
	for message, kind := range map[string]sync.Kind{
		`option "sensible" is not one that this version honours`: sync.Define[struct {
			T string `sync:"sensible"`
		}]("k"),
		`refers to the unknown kind "network"`: sync.Define[struct {
			T string `sync:"ref=network"`
		}]("k"),
		`ref= is for text`: sync.Define[struct {
			T int `sync:"ref=k"`
		}]("k"),
		`omitempty is for lists and maps`: sync.Define[struct {
			T string `sync:"omitempty"`
		}]("k"),
		`a required field has no default`: sync.Define[struct {
			T string `sync:"required,default=x"`
		}]("k"),
		`the default "x": want a whole number`: sync.Define[struct {
			T int `sync:"default=x"`
		}]("k"),
		`a default for a field of type list`: sync.Define[struct {
			T []int `sync:"default=x"`
		}]("k"),
		`a map by int: want a map by text`: sync.Define[struct{ T map[int]int }]("k"),
		`can't be recorded`:                sync.Define[struct{ T chan int }]("k"),
		`contains itself`:                  sync.Define[ring]("k"),
		`another field has this name`: sync.Define[struct {
			A string `toml:"x"`
			B string `toml:"x"`
		}]("k"),
		`it keeps its fields to itself`:           sync.Define[struct{ M atomic.Int32 }]("k"),
		`a struct is embedded by value`:           sync.Define[struct{ *common }]("k"),
		`the fields "b" and "a" are not in order`: {Name: "k", Schema: &diff.Schema{Fields: []diff.SchemaField{{Name: "b", Value: diff.Value{Type: diff.Text}}, {Name: "a"}}}},
		`a list without Elem`:                     {Name: "k", Schema: &diff.Schema{Fields: []diff.SchemaField{{Name: "a", Value: diff.Value{Type: diff.List}}}}},
		`an object without Object`:                {Name: "k", Schema: &diff.Schema{Fields: []diff.SchemaField{{Name: "a", Value: diff.Value{Type: diff.Object}}}}},
		`the default 1.0 is not canonical`:        {Name: "k", Schema: &diff.Schema{Fields: []diff.SchemaField{{Name: "a", Default: json.RawMessage("1.0"), Value: diff.Value{Type: diff.Float}}}}},
		`want a struct`:                           sync.Define[int]("k"),
	} {
		require.ErrorContains(t, sync.Kinds(kind).Err(), message)
	}
}

func TestAHandMadeKindTakesAnyObject(t *testing.T) {
	t.Parallel()
	set := sync.Kinds(sync.Kind{Name: "free"})
	r, err := set.Resource("free", "x", map[string]any{"b": 1, "a": 2})
	require.NoError(t, err)
	require.Equal(t, `{"a":2,"b":1}`, string(r.Config))
	_, ok := set.Kind("free")
	require.True(t, ok)
	var none *sync.KindSet
	require.NoError(t, none.Err())
	require.Nil(t, none.Names())
	require.Nil(t, none.Schema("x"))
}
