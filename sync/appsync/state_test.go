package appsync_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync/appsync"
)

// wholeState is a State as other programs write and read it, byte by byte.
const wholeState = `{"version":"v1","config_id":"cfg1","app_id":"app1","installer_id":"","runner_config_id":"run4","sandbox_config_id":"sbx3","input_config_id":"inp2",` +
	`"components":[{"name":"c","id":"cmp5","config_id":"tfc9","type":"terraform_module","checksum":"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"}],` +
	`"actions":[{"name":"x","id":"act14"}]}`

func TestStateOf(t *testing.T) {
	t.Parallel()
	head := state.Head{Scope: state.Scope{Org: "org1", App: "app1"}, ConfigID: "cfg1"}
	record := func(kind, name, id, configID string) state.Record {
		return state.Record{Key: state.Key{Kind: kind, Name: name}, ID: id, ConfigID: configID}
	}
	records := []state.Record{
		record("action", "gone", "act13", ""),
		record("action", "x", "act14", "acfg"),
		record("component", "c", "cmp5", "tfc9"),
		record("component", "never finished", "", ""),
		record("inputs", "inputs", "inp1", "inp2"),
		record("runner", "runner", "run1", "run4"),
		record("sandbox", "sandbox", "sbx1", "sbx3"),
	}
	records[0].Orphaned = true
	records[2].Type = "terraform_module"
	records[2].Checksum = state.Sum([]byte("hello"))

	raw, err := json.Marshal(appsync.StateOf(head, records))
	require.NoError(t, err)
	require.Equal(t, wholeState, string(raw))

	raw, err = json.Marshal(appsync.StateOf(state.Head{}, nil))
	require.NoError(t, err)
	require.Equal(t, emptyState, string(raw))
}

const emptyState = `{"version":"v1","config_id":"","app_id":"","installer_id":"","runner_config_id":"","sandbox_config_id":"","input_config_id":"","components":[],"actions":[]}`

// TestStateJSON reads what others wrote, later versions too.
func TestStateJSON(t *testing.T) {
	t.Parallel()
	for in, out := range map[string]string{
		wholeState: wholeState,
		`{"version":"v1","components":null,"actions":null}`: emptyState,
		`{"version":"v1"}`: emptyState,
		`{"version":"v1","components":[],"actions":null,"runbooks":[{"name":"r"}],"result":{"x":1}}`: emptyState,
	} {
		var s appsync.State
		require.NoError(t, json.Unmarshal([]byte(in), &s))
		raw, err := json.Marshal(s)
		require.NoError(t, err)
		require.Equal(t, out, string(raw))
	}
}
