package appsync_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/appsync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// TestIdentical writes one app down in a thousand ways: in other files, in
// another order, with other spacing, and syncs it in batches of another size. The
// State is the same, byte by byte.
func TestIdentical(t *testing.T) {
	t.Parallel()
	want := ""
	for round := range syncertest.Soak(1000) {
		random := rand.New(rand.NewPCG(7, uint64(round)))
		config, err := appsync.Load(written(random), nil)
		require.NoError(t, err)
		engine, err := sync.New(syncertest.NewMemory(state.Scope{Org: "acme", App: "shop"}), appsync.Kinds(),
			&sync.Options{BatchSize: 1 + random.IntN(50)})
		require.NoError(t, err)
		syncer := appsync.New(engine, config)
		require.NoError(t, syncer.Sync(asAcme(t)))
		got := encoded(t, syncer.State())
		if want == "" {
			want = got
		}
		require.Equal(t, want, got, "round %d", round)
	}
}

// written writes an app of 20 components and 10 actions down in a random way.
func written(random *rand.Rand) fstest.MapFS {
	dir := app(nil)
	add := func(folder string, blocks ...string) {
		name := fmt.Sprintf("%s/%s%d.toml", folder, strings.Repeat("deep/", random.IntN(3)), random.Uint64())
		dir[name] = &fstest.MapFile{Data: []byte(strings.Join(blocks, "\n"))}
	}
	lines := func(lines ...string) string {
		random.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		return strings.Join(lines, []string{"\n", "\n\n", " # a comment\n"}[random.IntN(3)]) + "\n"
	}
	for i := range 20 {
		vars := []string{fmt.Sprintf("size = '%d'", i), "region = 'eu'", "tier = 'one'"}
		if i > 0 {
			vars = append(vars, fmt.Sprintf("other = '{{.nuon.components.c%02d.outputs.id}}'", i/2))
		}
		top := []string{fmt.Sprintf("name = 'c%02d'", i), "type = 'terraform_module'", "terraform_version = '1.11.3'"}
		if i > 4 {
			depends := []string{"'c01'", "'c02'", "'c03'"}
			random.Shuffle(len(depends), func(i, j int) { depends[i], depends[j] = depends[j], depends[i] })
			top = append(top, "dependencies = ["+strings.Join(depends, ",")+"]")
		}
		tables := []string{"[vars]\n" + lines(vars...), "[public_repo]\n" + lines("repo = 'r'", "branch = 'b'")}
		add("components", append([]string{lines(top...)}, lines(tables...))...)
	}
	for i := range 10 {
		add("actions", lines(fmt.Sprintf("name = 'a%d'", i), fmt.Sprintf("timeout = '%ds'", i)), "[[triggers]]\ncomponent_name = 'c07'\n")
	}
	return dir
}
