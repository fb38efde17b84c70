package state_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
)

// The count of the records and the records themselves both want to be called
// "records" in the document.
func TestEncodedStateComesBack(t *testing.T) {
	t.Parallel()
	key := state.Key{Kind: "server", Name: "web"}
	s := state.State{Head: state.Head{Scope: state.Scope{Org: "acme", App: "shop"}, Serial: 1}}
	s.Records = []state.Record{{Key: key, ID: "id", ConfigID: "config", Checksum: state.Sum([]byte("web"))}}

	var encoded bytes.Buffer
	require.NoError(t, s.Encode(&encoded))
	back, err := state.Decode(&encoded)
	require.NoError(t, err)

	s.Head, err = state.Seal(s.Head, s.Records)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(&s, back, cmp.Comparer(func(a, b state.Checksum) bool { return a == b })))
}
