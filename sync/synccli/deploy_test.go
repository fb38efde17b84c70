package synccli_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	tusync "github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/synccli"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// machines are three that are deployed, one after the other, and one that stands
// alone.
const machines = `
[[machine]]
name = "db"
deploy = true
config = { lan = "home", size = 1 }
[[machine]]
name = "web"
deploy = true
after = ["db"]
config = { lan = "home", size = 1 }
[[machine]]
name = "alone"
deploy = true
config = { lan = "home", size = 1 }
[[machine]]
name = "idle"
config = { lan = "home", size = 1 }
`

func newMachines(t *testing.T) *outside {
	t.Helper()
	o := newOutside(t, (*syncertest.World).Finding)
	o.write("machine.toml", machines)
	return o
}

// What is named is deployed, and what comes after it; nothing else is, whatever is
// the matter with it.
func TestDeploy(t *testing.T) {
	o := newMachines(t)
	o.must("sync")
	o.runs.forget()
	require.Contains(t, o.must("deploy", "web"), "» machine/web is deployed: nothing runs\nPlan: 1 to deploy,")
	require.Equal(t, []string{"machine/web"}, o.runs.forget())
	o.write("machine.toml", machines+"[[machine]]\nname = \"new\"\ndeploy = true\nconfig = { lan = \"home\", size = 1 }\n")
	out := o.must("deploy", "machine/db")
	require.Contains(t, out, "Done: 2 deployed,")
	require.Equal(t, []string{"machine/db", "machine/web"}, o.runs.forget())

	// What was changed is synced first.
	o.edit("machine.toml", "name = \"alone\"\ndeploy = true\nconfig = { lan = \"home\", size = 1 }", "name = \"alone\"\ndeploy = true\nconfig = { lan = \"home\", size = 2 }")
	require.Contains(t, o.must("deploy", "alone", "--json"), `"op":"update"`)
	require.Equal(t, []string{"machine/alone"}, o.runs.forget())
}

func TestDeploy_WhatIsRefused(t *testing.T) {
	o := newMachines(t)
	for text, args := range map[string][]string{
		`nothing that is declared with deploy = true is called "alnoe"; did you mean "alone"?`: {"deploy", "alnoe"},
		`nothing that is declared with deploy = true is called "idle"`:                         {"deploy", "idle"},
		"machine/idle: can't be deployed":                                                      {"deploy", "machine/idle"},
		`what is to be deployed? "./x" is a path`:                                              {"deploy", "./x", "db"},
	} {
		got := o.run(args...)
		require.Equal(t, 1, got.code, "%q", args)
		require.Contains(t, got.err, text)
	}
	o.host.Kinds = kinds()
	require.NotContains(t, o.runIn(t.Context(), "help").out, "deploy", "where nothing can be deployed there is no such command")
}

// What is to be deployed and is left for another time is no change, and not
// forgotten.
func TestNoDeploy(t *testing.T) {
	o := newMachines(t)
	require.NotContains(t, o.must("sync", "--no-deploy"), "is deployed")
	require.Empty(t, o.runs.forget())
	got := o.run("plan", "--no-deploy")
	require.Zero(t, got.code, got.out)
	require.Contains(t, got.out, "No changes: 5 as declared.")
	got = o.run("plan")
	require.Equal(t, 2, got.code)
	require.Contains(t, got.out, "» machine/alone is deployed: it is not deployed yet\n")
	got = o.run("sync", "--no-deploy", "--plan-file", "x")
	require.Contains(t, got.err, "--no-deploy and --plan-file")
}

// The page is there as a whole or not at all, for the user alone.
func TestThePageOfAPlan(t *testing.T) {
	o := newOutside(t, (*syncertest.World).Finding)
	file := filepath.Join(t.TempDir(), "plan.html")
	o.write("machine.toml", oneMachine)
	require.Equal(t, 2, o.run("plan", "--html", file).code)
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(page), "<title>Plan of default/app</title>")
	require.NotContains(t, string(page), "hunter2")
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	got := o.run("plan", "--html", filepath.Dir(file))
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "shop: save the plan's page: ")
	left, err := os.ReadDir(filepath.Dir(file))
	require.NoError(t, err)
	require.Len(t, left, 1)
}

// far is a Deployer that nobody reaches.
type far struct{ runs }

func (*far) Prepare(_ context.Context, deploys []*diff.Deploy) []tusync.Prepared {
	all := make([]tusync.Prepared, len(deploys))
	for i := range all {
		all[i].Err = errors.New("the engine can't be reached")
	}
	return all
}

// Files are valid wherever they are read: nothing outside is asked.
func TestValidateAsksNobody(t *testing.T) {
	o := newMachines(t)
	o.host.Kinds = tusync.Kinds(tusync.Define[lan]("lan"), tusync.Define[machine]("machine", tusync.Deploys(&far{})))
	require.Contains(t, o.run("plan").err, "machine/db: can't be deployed: the engine can't be reached")
	require.Equal(t, "5 resources, all valid.\n", o.must("validate"))
}

// What kinds act with may be what the flags say.
func TestKindsForACall(t *testing.T) {
	o := newMachines(t)
	at := ""
	o.host.Flags = func(_ string, flags *flag.FlagSet) { flags.StringVar(&at, "engine", "", "where things run") }
	o.host.KindsFor = func(call *synccli.Call) (*tusync.KindSet, error) {
		if at == "" && call.Command == "plan" {
			return nil, errors.New("which engine?")
		}
		return o.host.Kinds, nil
	}
	require.Equal(t, "shop: which engine?\n", o.run("plan").err)
	require.Equal(t, 2, o.run("plan", "--engine", "here").code)
}
