package state_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
)

// A delta whose head tells another State than it makes would be written, and
// never be read again.
func TestDeltaMustFitItsHead(t *testing.T) {
	t.Parallel()
	records := manyRecords(3).Records
	records[1].Orphaned = true
	head, err := state.Seal(state.Head{Scope: state.Scope{Org: "acme", App: "shop"}, Serial: 1}, records)
	require.NoError(t, err)
	whole := state.Delta{Head: head, Records: records}
	_, err = whole.Apply(nil)
	require.NoError(t, err)

	other := state.Sum([]byte("another"))
	for name, spoil := range map[string]func(*state.Head){
		"root":     func(h *state.Head) { h.Root = other },
		"declared": func(h *state.Head) { h.Declared = other },
		"count":    func(h *state.Head) { h.Records++ },
		"orphans":  func(h *state.Head) { h.Orphans++ },
		"pending":  func(h *state.Head) { h.Pending++ },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spoilt := whole
			spoil(&spoilt.Head)
			_, err := spoilt.Apply(nil)
			require.Error(t, err)
		})
	}
}
