package sync_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/filesyncer"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// wide has ten fields; filled, it is about 1 KiB of Config.
type wide struct {
	A, B, C, D, E, F, G string
	H                   int
	I                   bool
	J                   []string
}

func wideKinds() *sync.KindSet { return sync.Kinds(sync.Define[wide]("wide")) }

// wideResources declares n resources in chains of ten; those below changed
// differ from what they are with changed 0.
func wideResources(tb testing.TB, n, changed int) *sync.Desired {
	set := wideKinds()
	text := strings.Repeat("0123456789abcde ", 8)
	desired := &sync.Desired{Resources: make([]state.Resource, n)}
	for i := range desired.Resources {
		w := wide{A: text, B: text, C: text, D: text, E: text, F: text, G: text, H: i, I: true, J: []string{"x", "y"}}
		if i < changed {
			w.G = "changed"
		}
		r, err := set.Resource("wide", fmt.Sprintf("n%07d", i), w)
		require.NoError(tb, err)
		if i%10 > 0 {
			r.After = []state.Key{desired.Resources[i-1].Key}
		}
		desired.Resources[i] = r
	}
	return desired
}

func sizes(b *testing.B, run func(b *testing.B, n int)) {
	for _, n := range upTo(1_000, 10_000, 100_000) {
		b.Run(fmt.Sprint(n), func(b *testing.B) { run(b, n) })
	}
}

func wideEngine(b *testing.B, backend sync.Backend) *sync.Engine {
	e, err := sync.New(backend, wideKinds(), nil)
	require.NoError(b, err)
	return e
}

func directory(b *testing.B) sync.Backend {
	backend, err := filesyncer.New(b.TempDir(), scope(), nil)
	require.NoError(b, err)
	return backend
}

func apply(b *testing.B, e *sync.Engine, desired *sync.Desired) {
	p, err := e.Plan(b.Context(), desired, nil)
	require.NoError(b, err)
	_, err = e.Apply(b.Context(), p)
	require.NoError(b, err)
}

// BenchmarkHash is the checksums of a declaration.
func BenchmarkHash(b *testing.B) {
	sizes(b, func(b *testing.B, n int) {
		desired := wideResources(b, n, 0)
		b.ReportAllocs()
		for b.Loop() {
			for i := range desired.Resources {
				if _, err := desired.Resources[i].Checksum(); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

// BenchmarkPlanUnchanged is a plan in which nothing changes: by the head alone,
// and with all records compared.
func BenchmarkPlanUnchanged(b *testing.B) {
	for name, opts := range map[string]*sync.PlanOptions{"head": nil, "records": {Records: true}} {
		b.Run(name, func(b *testing.B) {
			sizes(b, func(b *testing.B, n int) {
				e := wideEngine(b, syncertest.NewMemory(scope()))
				desired := wideResources(b, n, 0)
				apply(b, e, desired)
				b.ReportAllocs()
				for b.Loop() {
					p, err := e.Plan(b.Context(), desired, opts)
					if err != nil || !p.IsEmpty() {
						b.Fatal(p, err)
					}
				}
			})
		})
	}
}

// BenchmarkPlanFirst is the plan of a first sync.
func BenchmarkPlanFirst(b *testing.B) {
	sizes(b, func(b *testing.B, n int) {
		e := wideEngine(b, syncertest.NewMemory(scope()))
		desired := wideResources(b, n, 0)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := e.Plan(b.Context(), desired, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkFirstSync plans and applies into an empty directory.
func BenchmarkFirstSync(b *testing.B) {
	sizes(b, func(b *testing.B, n int) {
		desired := wideResources(b, n, 0)
		b.ReportAllocs()
		for b.Loop() {
			apply(b, wideEngine(b, directory(b)), desired)
		}
	})
}

// BenchmarkUnchangedSync plans and applies into a directory that holds it all.
func BenchmarkUnchangedSync(b *testing.B) {
	sizes(b, func(b *testing.B, n int) {
		e := wideEngine(b, directory(b))
		desired := wideResources(b, n, 0)
		apply(b, e, desired)
		b.ReportAllocs()
		for b.Loop() {
			apply(b, e, desired)
		}
	})
}

// BenchmarkOnePercentSync changes 1% to and fro.
func BenchmarkOnePercentSync(b *testing.B) {
	sizes(b, func(b *testing.B, n int) {
		e := wideEngine(b, directory(b))
		versions := [2]*sync.Desired{wideResources(b, n, 0), wideResources(b, n, n/100)}
		apply(b, e, versions[0])
		i := 0
		b.ReportAllocs()
		for b.Loop() {
			i++
			apply(b, e, versions[i%2])
		}
	})
}

// BenchmarkHandlers creates n things with a Handler that takes no time, each of
// which is intended, done and recorded: on the file backend, which writes every
// commit to the disk.
func BenchmarkHandlers(b *testing.B) {
	for _, n := range upTo(1_000, 10_000, 50_000) {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			instant := sync.HandlerFunc(func(_ context.Context, changes []diff.Change) []sync.Outcome {
				outcomes := make([]sync.Outcome, len(changes))
				for i := range changes {
					outcomes[i].ID = changes[i].(*diff.Create).ID
				}
				return outcomes
			})
			desired := wideResources(b, n, 0)
			for i := range desired.Resources {
				desired.Resources[i].After = nil
			}
			b.ReportAllocs()
			for b.Loop() {
				e, err := sync.New(directory(b), sync.Kinds(sync.Define[wide]("wide", sync.Handle(instant))), nil)
				require.NoError(b, err)
				apply(b, e, desired)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(n), "µs/act")
		})
	}
}

// BenchmarkManySecrets creates n things whose secrets begin alike and of which one
// is refused, with the secret in the error.
func BenchmarkManySecrets(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			refuse := sync.HandlerFunc(func(_ context.Context, changes []diff.Change) []sync.Outcome {
				return []sync.Outcome{{Err: fmt.Errorf("refused: %s", changes[0].(*diff.Create).Config)}}
			})
			kinds := sync.Kinds(sync.Define[wire]("network", sync.Handle(refuse)), sync.Define[host]("server"))
			desired := declaring(resource(b, kinds, "network/n", wire{Range: "the secret that begins 7"}))
			for i := range n {
				desired.Resources = append(desired.Resources, resource(b, kinds, fmt.Sprintf("server/%d", i), host{Token: fmt.Sprintf("the secret that begins %d", i)}))
			}
			for b.Loop() {
				e, err := sync.New(directory(b), kinds, nil)
				require.NoError(b, err)
				p, err := e.Plan(b.Context(), desired, nil)
				require.NoError(b, err)
				_, err = e.Apply(b.Context(), p)
				require.ErrorContains(b, err, "refused")
				require.NotContains(b, err.Error(), "begins")
			}
		})
	}
}

// BenchmarkReplaceWhatManyReferTo plans the replace of a network with n servers in
// it: each of which had better leave it before it is deleted, and can't.
func BenchmarkReplaceWhatManyReferTo(b *testing.B) {
	sizes(b, func(b *testing.B, n int) {
		kinds := sync.Kinds(sync.Define[wire]("network"), sync.Define[host]("server"))
		e, err := sync.New(directory(b), kinds, nil)
		require.NoError(b, err)
		desired := declaring(resource(b, kinds, "network/n", wire{Range: "old"}))
		for i := range n {
			desired.Resources = append(desired.Resources, resource(b, kinds, fmt.Sprintf("server/%d", i), host{Network: "n"}))
		}
		apply(b, e, desired)
		desired.Resources[0] = resource(b, kinds, "network/n", wire{Range: "new"})
		for b.Loop() {
			require.Len(b, plan(b, e, desired, nil).Changes, n+2)
		}
	})
}

// upTo are sizes; with -short not the last.
func upTo(sizes ...int) []int {
	if testing.Short() {
		return sizes[:len(sizes)-1]
	}
	return sizes
}
