package synccli_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/synccli"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares text with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o700))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run go test -update to make it")
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s differs (-want +got):\n%s", path, d)
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"help.txt":        {"help"},
		"help-sync.txt":   {"sync", "--help"},
		"help-forget.txt": {"help", "forget"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			got := b.runIn(t.Context(), args...)
			require.Zero(t, got.code)
			require.Empty(t, got.err)
			golden(t, name, got.out)
		})
	}
}

func TestHelpComesInEveryForm(t *testing.T) {
	t.Parallel()
	forms := [][][]string{
		{{"help"}, {"--help"}, {"-h"}, {"-help"}},
		{{"plan", "--help"}, {"plan", "-h"}, {"help", "plan"}, {"--help", "plan"}, {"plan", "DIR", "--app", "x", "--help"}},
	}
	for _, same := range forms {
		b := &bench{T: t, host: shop()}
		want := b.runIn(t.Context(), same[0]...)
		require.Zero(t, want.code)
		for _, form := range same[1:] {
			require.Equal(t, want, b.runIn(t.Context(), form...), "%q", form)
		}
	}
}

func TestUsageErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		args []string
		want string
	}{
		{nil, "shop: which command?\n"},
		{[]string{"--json", "plan"}, "shop: no command before --json\n"},
		{[]string{"plann"}, `shop: unknown command "plann"; did you mean "plan"?` + "\n"},
		{[]string{"frobnicate"}, `shop: unknown command "frobnicate"` + "\n"},
		{[]string{"help", "frobnicate"}, `shop: unknown command "frobnicate"` + "\n"},
		{[]string{"state", "--atomic"}, "shop: unknown flag --atomic\n"},
		{[]string{"plan", "--wait"}, "shop: unknown flag --wait\n"},
		{[]string{"plan", "--target", "web"}, `shop: --target "web": want KIND/NAME, as plan and state show it` + "\n"},
		{[]string{"sync", "--plan-file", "p", "--prune"}, "shop: --prune and --plan-file: what a saved plan does is in the file; give --prune when you make it\n"},
		{[]string{"sync", "--plan-file", "p", "--target", "a/b"}, "give --target when you make it\n"},
		{[]string{"history", "--limit", "-1"}, "shop: --limit -1: want a number of States, or 0 for all\n"},
		{[]string{"diff", "x"}, `shop: "x" is neither a serial nor there as a path; serials are numbers, as history shows them` + "\n"},
		{[]string{"diff", "1", "2x"}, `shop: "2x" is neither a serial nor there as a path; serials are numbers, as history shows them` + "\n"},
		{[]string{"diff", "1", "2", "3"}, `shop: too many serials: ["3"]; a directory whose name is a number is written ./3` + "\n"},
		{[]string{"diff", "99999999999999999999"}, `shop: "99999999999999999999" is no serial; want a number, as history shows it` + "\n"},
		{[]string{"rollback"}, "shop: SERIAL is missing\n"},
		{[]string{"rollback", "x"}, `shop: "x" is no serial; want a number, as history shows it` + "\n"},
		{[]string{"adopt"}, "shop: KIND/NAME is missing\n"},
		{[]string{"adopt", "web"}, "want KIND/NAME, as plan and state show it\n"},
		{[]string{"adopt", "server/web", "id", "dir", "more"}, `shop: too many arguments: ["more"]` + "\n"},
		{[]string{"adopt", "server/web", "."}, `shop: "." may be an ID, and there is a file of that name; write "- ." if it is where the declaration is, or ". ." if it is the ID` + "\n"},
		{[]string{"sync", "--prune-limt", "3"}, "shop: unknown flag --prune-limt; did you mean --prune-limit?\n"},
		{[]string{"sync", "--prune-limit", "lots"}, `shop: --prune-limit "lots": want a number, or a percentage from 0% to 100%` + "\n"},
		{[]string{"plan", "--yes"}, "shop: unknown flag --yes\n"},
		{[]string{"plan", "a", "b", "c"}, `shop: too many arguments: ["b" "c"]` + "\n"},
		{[]string{"forget"}, "shop: KIND/NAME is missing\n"},
		{[]string{"forget", "web"}, "want KIND/NAME, as plan and state show it\n"},
		{[]string{"plan", "--org", "a/b"}, "give --app NAME and --org NAME\n"},
		{[]string{"state", "--backend", "postgres://me:secret@host/db"}, "shop: --backend postgres:… is not in this version of shop; it knows file:DIR\n"},
		{[]string{"state", "--backend", "https://host"}, "shop: --backend https:… is not in this version of shop; it knows file:DIR\n"},
		{[]string{"state", "--backend", "somewhere"}, `shop: --backend "somewhere" names no kind of backend; want file:DIR` + "\n"},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.args), func(t *testing.T) {
			b := newBench(t)
			got := b.runIn(t.Context(), test.args...)
			require.Equal(t, 1, got.code)
			require.Empty(t, got.out)
			require.Contains(t, got.err, test.want)
			require.Contains(t, got.err, "Usage: shop ")
			require.Contains(t, got.err, "--help")
			require.NotContains(t, got.err, "secret")
		})
	}
}

func TestADirectoryThatIsNotThere(t *testing.T) {
	t.Parallel()
	for _, command := range [][]string{{"plan"}, {"sync"}, {"state"}, {"orphans"}, {"prune"}, {"forget", "a/b"}, {"validate"}, {"history"}, {"rollback", "1"}, {"drift"}, {"unlock"}} {
		b := &bench{T: t, host: shop(), dir: filepath.Join(t.TempDir(), "typo")}
		got := b.run(command...)
		require.Equal(t, 1, got.code)
		require.Equal(t, "shop: $DIR: no such file or directory\n", got.err)
		require.NoDirExists(t, b.dir)
	}
}

func TestAFileIsNoDirectory(t *testing.T) {
	b := newShop(t)
	b.dir += "/network.toml"
	require.Equal(t, outcome{1, "", "shop: $DIR: not a directory\n"}, b.run("plan"))
}

func TestTheHostIsChecked(t *testing.T) {
	t.Parallel()
	b := &bench{T: t, host: synccli.Host{Backends: shop().Backends, Kinds: sync.Kinds(sync.Define[int]("number"))}}
	got := b.runIn(t.Context(), "plan")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "synccli: Host.Name is empty\nsynccli: Host.Load is nil\n")
	require.Contains(t, got.err, `kind "number"`)
}

// A host of many paths whose State has nothing to do with where they are.
func TestManyPaths(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := &bench{T: t, host: shop()}
	b.host.Paths = "PATH…"
	b.host.App = synccli.AppFlag{Name: "sync", Default: "main"}
	var loaded []string
	var scope state.Scope
	b.host.Load = func(_ context.Context, call *synccli.Call) (*synccli.Declaration, error) {
		loaded, scope = call.Paths, call.Scope
		return &synccli.Declaration{Desired: &sync.Desired{}}, nil
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.toml"), nil, 0o600))
	paths := []string{filepath.Join(dir, "a.toml"), dir}

	got := b.runIn(t.Context(), "plan", paths[0], "--backend", "file:"+filepath.Join(dir, "books"), paths[1])
	require.Zero(t, got.code, got)
	require.Equal(t, paths, loaded)
	require.Equal(t, state.Scope{Org: "default", App: "main"}, scope)

	got = b.runIn(t.Context(), "plan", "--sync", "other", "--backend", "file:"+filepath.Join(dir, "books"))
	require.Zero(t, got.code, got)
	require.Empty(t, loaded)
	require.Equal(t, "other", scope.App)

	require.Contains(t, b.runIn(t.Context(), "plan", "--help").out, "(default: file:.trueup)")
	require.Contains(t, b.runIn(t.Context(), "plan", "--help").out, "Usage: shop plan [flags] [PATH…]\n")
	require.Contains(t, b.runIn(t.Context(), "plan", "--help").out, "--sync NAME")
}

// A host with commands of several words and none of the standard ones, whose
// exit codes are its own.
func TestOwnCommandsAlone(t *testing.T) {
	t.Parallel()
	var deployed []string
	dry := false
	failure := errors.New("two objects failed")
	b := &bench{T: t, host: synccli.Host{
		Name: "abra",
		Commands: []synccli.Command{
			{Name: "app deploy", Args: []string{"DOMAIN"}, Short: "deploy an app",
				Flags: func(flags *flag.FlagSet) { flags.BoolVar(&dry, "dry", false, "only say so") },
				Run: func(_ context.Context, call *synccli.Call) error {
					deployed = call.Args
					fmt.Fprintln(call.Out, "deploying", call.Args[0])
					return nil
				}},
			{Name: "transfer", Short: "transfer objects", Run: func(_ context.Context, call *synccli.Call) error {
				if len(call.Args) == 0 {
					return &synccli.ExitError{Code: 3}
				}
				return failure
			}},
		},
		ExitCode: func(err error) int {
			var usage *synccli.UsageError
			switch {
			case errors.As(err, &usage):
				return 2
			case errors.Is(err, failure):
				return 4
			}
			return 1
		},
	}}
	require.Equal(t, outcome{0, "deploying a.example\n", ""}, b.runIn(t.Context(), "app", "deploy", "--dry", "a.example"))
	require.Equal(t, []string{"a.example"}, deployed)
	require.True(t, dry)
	require.Equal(t, outcome{3, "", ""}, b.runIn(t.Context(), "transfer"))
	require.Equal(t, outcome{4, "", "abra: two objects failed\n"}, b.runIn(t.Context(), "transfer", "a", "b"))
	require.Equal(t, 2, b.runIn(t.Context(), "app", "deploy").code)
	require.Equal(t, 2, b.runIn(t.Context(), "app", "deploy", "a", "b").code)
	require.Equal(t, 2, b.runIn(t.Context(), "app").code)
	require.Equal(t, 2, b.runIn(t.Context(), "plan").code, "it has no standard commands")
	golden(t, "help-own.txt", b.runIn(t.Context(), "help").out)
}

// A host's own command beside the standard ones, in place of one of them, and
// with flags of its own on all.
func TestOwnCommandsBesideTheStandardOnes(t *testing.T) {
	b := newShop(t)
	lenient := map[string]bool{}
	b.host.Flags = func(command string, flags *flag.FlagSet) {
		if command != "state" {
			flags.BoolFunc("lenient", "take unknown fields", func(string) error { lenient[command] = true; return nil })
		}
	}
	b.host.Commands = []synccli.Command{
		{Name: "export", Short: "write what is recorded", Takes: synccli.TakesPaths | synccli.TakesScope,
			Run: func(ctx context.Context, call *synccli.Call) error {
				recorded, err := call.State(ctx)
				if err == nil {
					fmt.Fprintf(call.Out, "%d of %s in %s\n", len(recorded.Records), call.Scope, call.Location)
				}
				return err
			}},
		{Name: "orphans", Short: "count orphans", Run: func(_ context.Context, call *synccli.Call) error {
			fmt.Fprintln(call.Out, "none that I know of", call.Args)
			return nil
		}},
	}
	b.must("sync", "--lenient")
	require.Equal(t, "2 of default/app in file:$DIR/.trueup\n", b.must("export"))
	require.Equal(t, "none that I know of [$DIR]\n", b.must("orphans"))
	require.Equal(t, map[string]bool{"sync": true}, lenient)
	require.Equal(t, 1, b.run("state", "--lenient").code)
}

// A backend that isn't files has no default place, and is closed.
func TestABackendThatIsClosed(t *testing.T) {
	b := newShop(t)
	closed := errors.New("closed")
	b.host.Backends = []synccli.Backend{{Scheme: "memory", Form: "memory:", Open: func(ctx context.Context, _ string, scope state.Scope) (sync.Backend, error) {
		backend, err := openFiles(ctx, filepath.Join(b.dir, "books"), scope)
		return closing{backend, closed}, err
	}}}
	got := b.run("plan")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "shop: --backend is missing; give --backend memory:\n")
	require.Equal(t, outcome{1, "No orphans in default/app.\n", "shop: closed\n"}, b.run("orphans", "--backend", "memory:"))
}

type closing struct {
	sync.Backend
	err error
}

func (c closing) Close() error { return c.err }
