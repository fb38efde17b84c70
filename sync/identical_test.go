package sync_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/manifest"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// One declaration, written down in a thousand ways: in other files, in another
// order, with other spacing, loaded by goroutines that end in any order, applied
// in batches of another size.
func TestPromise2_IdenticalDeclarationsGiveIdenticalRecords(t *testing.T) {
	t.Parallel()
	const n = 60
	set := sync.Kinds(sync.Define[thing]("thing"))
	var want []byte
	for round := range syncertest.Soak(1000) {
		random := rand.New(rand.NewPCG(1, uint64(round)))
		desired, err := manifest.Load(shuffled(random, n), set, nil)
		require.NoError(t, err)
		random.Shuffle(n, func(i, j int) {
			desired.Resources[i], desired.Resources[j] = desired.Resources[j], desired.Resources[i]
		})
		engine, err := sync.New(syncertest.NewMemory(scope()), set, &sync.Options{BatchSize: 1 + random.IntN(n)})
		require.NoError(t, err)
		result := syncAll(t, engine, desired, nil)
		var got bytes.Buffer
		require.NoError(t, (&state.State{Head: state.Head{Scope: scope(), Serial: 1}, Records: result.Records()}).Encode(&got))
		if want == nil {
			want = got.Bytes()
		}
		require.Equal(t, string(want), got.String(), "round %d", round)
	}
}

// shuffled writes n things down in a random way.
func shuffled(random *rand.Rand, n int) fstest.MapFS {
	files := make([]strings.Builder, 1+random.IntN(8))
	for _, i := range random.Perm(n) {
		lines := []string{
			fmt.Sprintf("size%s=%s%d", space(random), space(random), i*7),
			fmt.Sprintf("extra = {%s}", strings.Join(shuffle(random, `a = 1`, `b = [1, 2]`, `"c.d" = true`), ", ")),
			`label = "x` + "\\u00e9" + `"`,
		}
		if random.IntN(2) == 0 {
			lines[2] = "label = 'xé' # a comment"
		}
		head := []string{fmt.Sprintf("name = %q", fmt.Sprintf("n%03d", i)), fmt.Sprintf("tags = [%s]", strings.Join(shuffle(random, `"p"`, `"q"`, `"r"`), ","))}
		if i > 2 {
			head = append(head, fmt.Sprintf("after = [%s]", strings.Join(shuffle(random, fmt.Sprintf("%q", fmt.Sprintf("n%03d", i/2)), fmt.Sprintf("%q", fmt.Sprintf("thing/n%03d", i/3))), ", ")))
		}
		file := &files[random.IntN(len(files))]
		fmt.Fprintf(file, "[[thing]]\n%s\n[thing.config]\n%s\n\n", strings.Join(shuffle(random, head...), "\n"), strings.Join(shuffle(random, lines...), "\n"))
	}
	fsys := fstest.MapFS{}
	for i := range files {
		fsys[fmt.Sprintf("%d/%d.toml", random.IntN(100), i)] = &fstest.MapFile{Data: []byte(files[i].String())}
	}
	return fsys
}

func space(random *rand.Rand) string { return strings.Repeat(" ", random.IntN(3)) }

func shuffle(random *rand.Rand, texts ...string) []string {
	random.Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
	return texts
}
