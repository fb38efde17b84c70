package appsync_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/appsync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// secretive is an app with something sensitive wherever there can be; each of the
// values holds the text.
func secretive(value string) map[string]string {
	return map[string]string{
		"metadata.toml": "version = 'v2'\nslack_webhook_url = 'https://hooks.example.com/" + value + "'\n",
		"secrets.toml":  "[[secret]]\nname = 's'\ndefault = '" + value + "'\n",
		"inputs.toml": "[[input]]\nname = 'password'\nsensitive = true\ndefault = '" + value + "'\n" +
			"[[input]]\nname = 'size'\ndefault = 'small'\n" +
			"[[input]]\nname = 'group'\nsensitive = true\n",
		"installs/acme.toml": "name = 'acme'\n[[inputs]]\ngroup = 'g'\npassword = '" + value + "'\nsize = 'large'\n[[inputs]]\nsize = 'huge'\n",
		"runbooks/r.toml":    "name = 'r'\n[[input]]\nname = 'token'\nsensitive = true\ndefault = '" + value + "'\n",
	}
}

// given is a backend that notes what it is given to carry out.
type given struct {
	sync.Backend
	configs map[string]string // by key
}

func (g given) Unwrap() sync.Backend { return g.Backend }

func (g given) Begin(ctx context.Context, owner string) (sync.Tx, state.Head, error) {
	tx, head, err := g.Backend.Begin(ctx, owner)
	return givenTx{tx, g.configs}, head, err
}

type givenTx struct {
	sync.Tx
	configs map[string]string
}

func (g givenTx) Apply(ctx context.Context, changes []diff.Change) ([]sync.Outcome, error) {
	for _, change := range changes {
		switch c := change.(type) {
		case *diff.Create:
			g.configs[c.Key().String()] = string(c.Config)
		case *diff.Update:
			g.configs[c.Key().String()] = string(c.Config)
		}
	}
	return g.Tx.Apply(ctx, changes)
}

// What is sensitive gets where it is to be used and nowhere else.
func TestSecretsStayHidden(t *testing.T) {
	t.Parallel()
	const secret, other = "hunter2hunter2", "correct horse"
	backend := syncertest.NewMemory(state.Scope{Org: "acme", App: "shop"})
	configs := map[string]string{}
	engine, err := sync.New(given{backend, configs}, appsync.Kinds(), nil)
	require.NoError(t, err)
	var seen strings.Builder
	for _, value := range []string{secret, other} {
		desired := load(t, secretive(value))
		plan, err := engine.Plan(t.Context(), desired, nil)
		require.NoError(t, err)
		require.NoError(t, plan.Encode(&seen))
		fmt.Fprintf(&seen, "%s%+v", plan, plan.Changes)
		syncer := appsync.New(engine, &appsync.Config{Desired: desired})
		require.NoError(t, syncer.Sync(asAcme(t)))
		fmt.Fprintf(&seen, "%+v%s", syncer.Result(), encoded(t, syncer.State()))
		var sums []state.Checksum
		for _, record := range syncer.Result().Records() {
			sums = append(sums, record.Checksum)
		}
		declared, err := backend.Declared(t.Context(), sums)
		require.NoError(t, err)
		require.NotEmpty(t, declared)
		for _, resource := range declared {
			seen.Write(resource.Config)
		}
		for _, key := range []string{"metadata/metadata", "secret/s", "inputs/inputs", "install/acme", "runbook/r"} {
			require.Contains(t, configs[key], value, key)
		}
	}
	require.NotContains(t, seen.String(), secret)
	require.NotContains(t, seen.String(), other)
	require.Contains(t, seen.String(), "config.input[0].sensitive_default")
	require.Contains(t, seen.String(), "large", "what isn't sensitive is shown")
}

func TestOnlyWhatSaysSoIsSensitive(t *testing.T) {
	t.Parallel()
	configs := map[string]json.RawMessage{}
	for _, r := range load(t, secretive("hunter2")).Resources {
		configs[r.Kind] = r.Config
	}
	var inputs appsync.Inputs
	require.NoError(t, json.Unmarshal(configs[appsync.KindInputs], &inputs))
	require.Equal(t, "hunter2", inputs.Input[0].SensitiveDefault)
	require.Nil(t, inputs.Input[0].Default)
	require.Equal(t, "small", inputs.Input[1].Default)
	var install appsync.Install
	require.NoError(t, json.Unmarshal(configs[appsync.KindInstall], &install))
	require.Equal(t, []map[string]string{{"group": "g", "size": "large"}, {"size": "huge"}}, install.Inputs)
	require.Equal(t, []map[string]string{{"password": "hunter2"}}, install.SensitiveInputs)
	var secret appsync.Secret
	require.NoError(t, json.Unmarshal(configs[appsync.KindSecret], &secret))
	require.Equal(t, "hunter2", secret.Default.Reveal())
}

// A file says default and sensitive, and nothing of where that is kept.
func TestNoFileHasTheHiddenFields(t *testing.T) {
	t.Parallel()
	_, err := appsync.Load(app(map[string]string{
		"inputs.toml":     "[[input]]\nname = 'a'\nsensitive_default = 'x'\n",
		"runbooks/r.toml": "name = 'r'\n[[input]]\nname = 'a'\nsensitive_default = 'x'\n",
		"installs/i.toml": "name = 'i'\n[[sensitive_inputs]]\na = 'x'\n",
	}), nil)
	require.ErrorContains(t, err, "inputs.toml:3:1: ")
	require.ErrorContains(t, err, "runbooks/r.toml:4:1: ")
	require.ErrorContains(t, err, "installs/i.toml:2:")
}
