package appsync_test

import (
	"os"
	"path"
	"testing"
	"testing/fstest"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/appsync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// FuzzLoad loads apps of any content. What loads can be planned, and is the same
// when it is loaded again.
func FuzzLoad(f *testing.F) {
	shop := memoryOf(f, os.DirFS("testdata/shop"))
	for name, file := range shop {
		if path.Ext(name) == ".toml" {
			f.Add(file.Data, []byte("source = './b.toml'\n"), file.Data, []byte("{{.nuon.components.a.outputs.x}}"))
		}
	}
	f.Add([]byte(component), []byte("[[policy]]\ncontents = './x'\n"), []byte("[[secret]]\nname = 's'\n"), []byte("x"))
	f.Add([]byte("name='a'\ntype='job'\n[job.env_vars]\n"), []byte("[[input]]\nname='a'\n"), []byte("provision_role = 3\n"), []byte(""))
	f.Fuzz(func(t *testing.T, a, b, c, text []byte) {
		dir := app(nil)
		for name, data := range map[string][]byte{
			"components/a.toml": a, "components/b.toml": b, "components/deep/c.toml": c, "components/x": text,
			"actions/a.toml": c, "runbooks/a.toml": a, "installs/b.toml": b, "inputs.toml": b, "policies.toml": b,
			"secrets.toml": c, "permissions.toml": c, "stack.toml": a, "break_glass.toml": b, "operation_roles.toml": c,
		} {
			dir[name] = &fstest.MapFile{Data: data}
		}
		config, err := appsync.Load(dir, nil)
		if err != nil {
			if err.Error() == "" {
				t.Fatal("an error that says nothing")
			}
			return
		}
		again, err := appsync.Load(dir, nil)
		if err != nil {
			t.Fatal("it loaded before:", err)
		}
		if string(jsonOf(t, config.Desired)) != string(jsonOf(t, again.Desired)) {
			t.Fatal("it is not the same again")
		}
		engine, err := sync.New(syncertest.NewMemory(state.Scope{Org: "o", App: "a"}), appsync.Kinds(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := engine.Plan(t.Context(), config.Desired, nil); err != nil {
			t.Fatal("it loads and can't be planned:", err)
		}
	})
}
