package synccli_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/filesyncer"
	"github.com/trueup-go/trueup/sync/manifest"
	"github.com/trueup-go/trueup/sync/synccli"
)

type network struct {
	Range string `toml:"range" sync:"required"`
}

type server struct {
	Address string `toml:"address" sync:"required"`
	Region  string `toml:"region" sync:"default=eu-west"`
}

func kinds() *sync.KindSet {
	return sync.Kinds(sync.Define[network]("network"), sync.Define[server]("server"))
}

// shop is a host over files, as small as they come.
func shop() synccli.Host {
	return synccli.Host{
		Name:     "shop",
		About:    "shop makes the servers what the files declare.",
		Kinds:    kinds(),
		Load:     loadFiles,
		Backends: []synccli.Backend{{Scheme: "file", Form: "file:DIR", Open: openFiles}},
		PlanOptions: func(_ *synccli.Call, opts *sync.PlanOptions) {
			opts.OnFailure = sync.KeepGoing
		},
	}
}

func loadFiles(_ context.Context, call *synccli.Call) (*synccli.Declaration, error) {
	if found, err := filepath.Glob(filepath.Join(call.Dir(), "*.toml")); err != nil || len(found) == 0 {
		return nil, synccli.ErrNoDeclaration
	}
	desired, err := manifest.Load(os.DirFS(call.Dir()), kinds(), &manifest.Options{Dir: call.Dir(), AllowEmpty: true})
	return &synccli.Declaration{Desired: desired}, err
}

func openFiles(_ context.Context, location string, scope state.Scope) (sync.Backend, error) {
	return filesyncer.New(strings.TrimPrefix(location, "file:"), scope, nil)
}

// breaking is a backend on which acts on some keys fail.
type breaking struct {
	sync.Backend
	keys map[string]error
}

func (b breaking) Begin(ctx context.Context, owner string) (sync.Tx, state.Head, error) {
	tx, head, err := b.Backend.Begin(ctx, owner)
	return breakingTx{tx, b.keys}, head, err
}

type breakingTx struct {
	sync.Tx
	keys map[string]error
}

func (t breakingTx) Apply(ctx context.Context, changes []diff.Change) ([]sync.Outcome, error) {
	outcomes, err := t.Tx.Apply(ctx, changes)
	for i, change := range changes {
		if broken := t.keys[change.Key().String()]; broken != nil && err == nil {
			outcomes[i].Err = broken
		}
	}
	return outcomes, err
}

// bench is a directory with files and a host that works on it.
type bench struct {
	*testing.T
	host synccli.Host
	dir  string
	// stdio is what the program talks to; Out and Err are collected.
	stdio synccli.Stdio
}

// newBench makes a bench for a test, which runs beside others from here on.
func newBench(t *testing.T, files ...string) *bench {
	t.Helper()
	t.Parallel()
	b := &bench{T: t, host: shop(), dir: filepath.Join(t.TempDir(), "app"), stdio: synccli.Stdio{User: "tester"}}
	require.NoError(t, os.Mkdir(b.dir, 0o700))
	for i := 0; i < len(files); i += 2 {
		b.write(files[i], files[i+1])
	}
	return b
}

const (
	oneNetwork = "[[network]]\nname = \"lan\"\nconfig.range = \"10.0.0.0/8\"\n"
	oneServer  = "[[server]]\nname = \"web\"\nafter = [\"network/lan\"]\nconfig.address = \"10.0.0.1\"\n"
)

// newShop is a bench with a network and a server on it, not synced yet.
func newShop(t *testing.T) *bench {
	t.Helper()
	return newBench(t, "network.toml", oneNetwork, "server.toml", oneServer)
}

func (b *bench) write(name, text string) {
	b.Helper()
	require.NoError(b, os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o600))
}

func (b *bench) remove(name string) {
	b.Helper()
	require.NoError(b, os.Remove(filepath.Join(b.dir, name)))
}

// outcome is how a run ended. The directory is shown as $DIR.
type outcome struct {
	code     int
	out, err string
}

// run runs a command on the directory.
func (b *bench) run(args ...string) outcome {
	b.Helper()
	return b.runIn(b.Context(), append(args, b.dir)...)
}

func (b *bench) runIn(ctx context.Context, args ...string) outcome {
	b.Helper()
	var out, err bytes.Buffer
	stdio := b.stdio
	stdio.Out, stdio.Err = &out, &err
	code := synccli.New(b.host).Run(ctx, args, stdio)
	return outcome{code, b.shown(out.String()), b.shown(err.String())}
}

// shown is an output with the directory's name as $DIR.
func (b *bench) shown(output string) string {
	if b.dir == "" {
		return output
	}
	return strings.ReplaceAll(output, b.dir, "$DIR")
}

// must is run, for a command that has to succeed.
func (b *bench) must(args ...string) string {
	b.Helper()
	got := b.run(args...)
	require.Zero(b, got.code, "%+v", got)
	require.Empty(b, got.err)
	return got.out
}
