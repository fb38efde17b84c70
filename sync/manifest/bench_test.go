package manifest_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/manifest"
)

// machine is a kind of ten fields.
type machine struct {
	Address  string            `toml:"address" sync:"required"`
	Region   string            `toml:"region"`
	Image    string            `toml:"image"`
	Cores    int               `toml:"cores"`
	Memory   float64           `toml:"memory"`
	Public   bool              `toml:"public"`
	Networks []string          `toml:"networks"`
	Labels   map[string]string `toml:"labels"`
	Notes    string            `toml:"notes"`
	Script   string            `toml:"script"`
}

// machineTOML is the declaration of one machine, about 1 KiB.
func machineTOML(i int) string {
	return fmt.Sprintf(`[[machine]]
name = "machine-%06d"
tags = ["bench", "group-%d"]

[machine.config]
address = "10.%d.%d.%d"
region = "eu-west"
image = "registry.example.com/library/image:%d"
cores = %d
memory = 7.5
public = true
networks = ["private", "backup"]
labels = { owner = "somebody", stage = "production" }
notes = "%s"
script = """
%s"""
`, i, i%10, i>>16, i>>8&255, i&255, i, i%64+1, strings.Repeat("all work and no play ", 10), strings.Repeat("echo one line of a script\n", 17))
}

func benchmarkDir(b *testing.B, files, perFile int) string {
	b.Helper()
	dir := b.TempDir()
	for i := range files {
		var text strings.Builder
		for j := range perFile {
			text.WriteString(machineTOML(i*perFile + j))
		}
		require.NoError(b, os.WriteFile(filepath.Join(dir, fmt.Sprintf("m%06d.toml", i)), []byte(text.String()), 0o600))
	}
	return dir
}

// BenchmarkLoad compares the whole load with what it can't go without: reading
// the files, and decoding them with go-toml into a map. The goal is at most
// twice that, on one goroutine, of which about half is to check the configs.
func BenchmarkLoad(b *testing.B) {
	kinds := sync.Kinds(sync.Define[machine]("machine"))
	for _, size := range []struct{ files, perFile int }{{200, 25}, {1_000, 1}, {10_000, 1}, {1, 10_000}} {
		name := fmt.Sprintf("files=%d,resources=%d", size.files, size.files*size.perFile)
		b.Run(name, func(b *testing.B) {
			fsys := os.DirFS(benchmarkDir(b, size.files, size.perFile))
			b.Run("go-toml", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					decodeAll(b, fsys)
				}
			})
			b.Run("load", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					desired, err := manifest.Load(fsys, kinds, nil)
					require.NoError(b, err)
					require.Len(b, desired.Resources, size.files*size.perFile)
				}
			})
		})
	}
}

func decodeAll(b *testing.B, fsys fs.FS) {
	b.Helper()
	require.NoError(b, fs.WalkDir(fsys, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(fsys, path)
		if err != nil {
			return err
		}
		var root map[string]any
		return toml.Unmarshal(data, &root)
	}))
}

// BenchmarkDecode compares the decoding alone. The goal is at most one and a half
// times what go-toml takes into a map.
func BenchmarkDecode(b *testing.B) {
	data := []byte(machineTOML(1))
	b.Run("go-toml", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			var root map[string]any
			require.NoError(b, toml.Unmarshal(data, &root))
		}
	})
	b.Run("document", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			_, err := manifest.Decode("a.toml", data)
			require.NoError(b, err)
		}
	})
}
