package state_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
)

// FuzzUnmarshal holds the two ways to read a record or a resource against each other:
// what is canonical takes the fast one, and a space in front is not canonical.
func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte(`{"config":{"a":[1,"\u0001"]},"deploy":true,"description":"d","key":"server/web","tags":["a","b"],"type":"vm"}`))
	f.Add([]byte(`{"after":["server/db","server/\"x"],"config":{},"key":"server/web"}`))
	f.Add([]byte(`{"config":{"b":1,"a":1.0},"key":"server/web"}`))
	f.Add([]byte(`{"config":{},"key":"server/web","tags":["b","a"]}`))
	f.Add([]byte(`{"after":["server/db"],"checksum":"` + state.Sum(nil).String() + `","id":"i","key":"server/web","orphaned":true}`))
	f.Add([]byte(`{"id":"i","key":"server/web","orphaned":truer}`))
	f.Add([]byte(`{"id":"\q","key":"server/web"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		sameEitherWay[state.Resource](t, data)
		sameEitherWay[state.Record](t, data)
	})
}

func sameEitherWay[T any, P interface {
	*T
	json.Unmarshaler
}](t *testing.T, data []byte) {
	t.Helper()
	var fast, slow T
	own := bytes.Clone(data)
	fastErr, slowErr := P(&fast).UnmarshalJSON(own), P(&slow).UnmarshalJSON(append([]byte(" "), data...))
	clear(own) // whoever gave it may use it again
	require.Equal(t, slowErr == nil, fastErr == nil, "%v, %v", fastErr, slowErr)
	if slowErr == nil {
		assert.Empty(t, cmp.Diff(slow, fast, cmpopts.EquateEmpty(), cmpopts.EquateComparable(state.Checksum{})))
	}
}

func BenchmarkUnmarshal(b *testing.B) {
	record, err := manyRecords(1).Records[0].AppendJSON(nil)
	require.NoError(b, err)
	for name, text := range map[string]string{
		"record":   string(record),
		"resource": `{"config":{"image":"shop/web:1","ports":[80,443]},"key":"server/web","tags":["public"],"type":"vm"}`,
	} {
		for way, prefix := range map[string]string{"fast": "", "slow": " "} {
			b.Run(fmt.Sprintf("%s/%s", name, way), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					var err error
					if name == "record" {
						err = new(state.Record).UnmarshalJSON([]byte(prefix + text))
					} else {
						err = new(state.Resource).UnmarshalJSON([]byte(prefix + text))
					}
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
