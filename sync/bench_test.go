package sync_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

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
	for _, n := range []int{1_000, 10_000, 100_000} {
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
