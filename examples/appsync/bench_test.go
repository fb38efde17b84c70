package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkProcess measures whole processes, from the command line to the exit
// code, over apps of n components: the first sync, one that finds everything as
// it was, one after 100 components changed, and what both of the latter are
// compared with: a process that reads the same files and decodes them.
//
//	go test -run '^$' -bench Process -benchtime 5x ./examples/appsync
func BenchmarkProcess(b *testing.B) {
	program, decoder := build(b), buildOf(b, "../internal/decode")
	for _, n := range []int{1000, 10000} {
		dir := filepath.Join(b.TempDir(), "app")
		generateApp(b, dir, n)
		books := filepath.Join(dir, ".trueup")
		sync := func(b *testing.B) {
			code, _, errs := program.run(b, dir, "sync")
			require.Zero(b, code, errs)
		}
		b.Run(fmt.Sprintf("first/%d", n), func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				require.NoError(b, os.RemoveAll(books))
				b.StartTimer()
				sync(b)
			}
		})
		b.Run(fmt.Sprintf("unchanged/%d", n), func(b *testing.B) {
			sync(b)
			for b.Loop() {
				sync(b)
			}
		})
		b.Run(fmt.Sprintf("100-changed/%d", n), func(b *testing.B) {
			for run := range b.N {
				b.StopTimer()
				for i := range 100 {
					at := i * n / 100
					text := componentText(at, fmt.Sprint("v", run+2))
					require.NoError(b, os.WriteFile(filepath.Join(dir, componentFile(at)), []byte(text), 0o600))
				}
				b.StartTimer()
				sync(b)
			}
		})
		b.Run(fmt.Sprintf("read-and-decode/%d", n), func(b *testing.B) {
			for b.Loop() {
				code, _, errs := decoder.run(b, dir, dir)
				require.Zero(b, code, errs)
			}
		})
	}
}
