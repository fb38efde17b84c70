package planhtml_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/manifest"
	"github.com/trueup-go/trueup/sync/planhtml"
	"github.com/trueup-go/trueup/sync/syncertest"
)

var update = flag.Bool("update", false, "write golden files")

type network struct {
	CIDR string `toml:"cidr"`
}

type server struct {
	Network string   `toml:"network" sync:"ref=network"`
	Image   string   `toml:"image"`
	Region  string   `toml:"region" sync:"immutable,default=eu"`
	Script  string   `toml:"script"`
	Token   string   `toml:"token" sync:"sensitive"`
	Ports   []int    `toml:"ports"`
	Labels  []string `toml:"labels"`
}

// cloud acts for servers: it creates what it is told to, and everything runs.
type cloud struct{}

func (cloud) Apply(_ context.Context, changes []diff.Change) []sync.Outcome {
	return make([]sync.Outcome, len(changes))
}

func (cloud) Deploy(context.Context, *diff.Deploy) error { return nil }

func (cloud) Health(_ context.Context, records []state.Record) []sync.Health {
	healths := make([]sync.Health, len(records))
	for i := range healths {
		healths[i].Phase = sync.Healthy
	}
	return healths
}

func kinds() *sync.KindSet {
	return sync.Kinds(sync.Define[network]("network"), sync.Define[server]("server", sync.Handle(cloud{})))
}

// newEngine returns an engine on which nothing is recorded.
func newEngine(t *testing.T) *sync.Engine {
	t.Helper()
	engine, err := sync.New(syncertest.NewMemory(state.Scope{Org: "acme", App: "shop"}), kinds(), &sync.Options{DigestKey: bytes.Repeat([]byte("k"), 32)})
	require.NoError(t, err)
	return engine
}

// load loads one file of that text, named shop.toml.
func load(t *testing.T, text string) *sync.Desired {
	t.Helper()
	desired, err := manifest.Load(fstest.MapFS{"shop.toml": {Data: []byte(text)}}, kinds(), nil)
	require.NoError(t, err)
	return desired
}

// plan plans towards the declaration in a text.
func plan(t *testing.T, engine *sync.Engine, text string, opts *sync.PlanOptions) *sync.Plan {
	t.Helper()
	p, err := engine.Plan(t.Context(), load(t, text), opts)
	require.NoError(t, err)
	return p
}

// synced syncs the declaration in a text.
func synced(t *testing.T, engine *sync.Engine, text string) {
	t.Helper()
	_, err := engine.Apply(t.Context(), plan(t, engine, text, nil))
	require.NoError(t, err)
}

// pageOf returns the page of a plan, and the same without its style.
func pageOf(t *testing.T, p *sync.Plan, opts *planhtml.Options) (page, bare string) {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, planhtml.Write(&b, p, opts))
	before, rest, _ := bytes.Cut(b.Bytes(), []byte("<style>"))
	_, after, found := bytes.Cut(rest, []byte("</style>"))
	require.True(t, found)
	return b.String(), string(before) + string(after)
}

// golden compares a text with that of a file in testdata.
func golden(t *testing.T, file, text string) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), text)
}

// full is a disk on which nothing fits.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

var errFull = errors.New("the disk is full")
