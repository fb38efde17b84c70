package appsync_test

import (
	"fmt"
	"io/fs"
	"path"
	"testing"
	"testing/fstest"

	"github.com/pelletier/go-toml/v2"

	"github.com/trueup-go/trueup/sync/appsync"
)

// BenchmarkLoad loads apps of many components, beside what reading and decoding
// the same files costs.
func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{100, 1_000, 10_000} {
		app := manyComponents(n)
		b.Run(fmt.Sprintf("components=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := appsync.Load(app, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("decode=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := decodeAll(app); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// manyComponents returns an app of n components of about 1 KiB each.
func manyComponents(n int) fstest.MapFS {
	app := app(nil)
	for i := range n {
		text := fmt.Sprintf("name = \"c%06d\"\ntype = \"terraform_module\"\nterraform_version = \"1.11.3\"\nmax_auto_retries = 5\n", i)
		if i > 0 {
			text += fmt.Sprintf("dependencies = [\"c%06d\"]\n", i-1)
		}
		text += "\n[public_repo]\nrepo = \"acme/modules\"\ndirectory = \"module\"\nbranch = \"main\"\n\n[vars]\n"
		for v := range 12 {
			text += fmt.Sprintf("variable_%d = \"the value of variable %d of component %d\"\n", v, v, i)
		}
		app[fmt.Sprintf("components/c%06d.toml", i)] = &fstest.MapFile{Data: []byte(text)}
	}
	return app
}

func decodeAll(fsys fs.FS) error {
	return fs.WalkDir(fsys, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || path.Ext(name) != ".toml" {
			return err
		}
		raw, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		var into map[string]any
		return toml.Unmarshal(raw, &into)
	})
}
