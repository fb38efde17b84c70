package appsync_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/appsync"
)

var update = flag.Bool("update", false, "write the golden files")

// TestLoad reads an app that has something of every kind, in as many ways as
// the format knows.
func TestLoad(t *testing.T) {
	t.Parallel()
	config, err := appsync.Load(os.DirFS("testdata/shop"), &appsync.LoadOptions{Revision: "abc123"})
	require.NoError(t, err)
	require.Equal(t, "abc123", config.Desired.Revision)

	var b strings.Builder
	kinds := map[string]bool{}
	for _, r := range config.Desired.Resources {
		raw, err := r.MarshalJSON()
		require.NoError(t, err)
		fmt.Fprintf(&b, "%s %s\n", config.Desired.Positions[r.Key], raw)
		kinds[r.Kind] = true
	}
	for _, warning := range config.Desired.Warnings {
		fmt.Fprintf(&b, "%s\n", warning)
	}
	golden(t, "testdata/shop.golden", b.String())
	for _, name := range appsync.Kinds().Names() {
		require.True(t, kinds[name], "the app declares no %s", name)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(name, []byte(got), 0o600))
	}
	want, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(string(want), got), "-want +got; -update writes the file again")
}

func TestKinds(t *testing.T) {
	t.Parallel()
	require.NoError(t, appsync.Kinds().Err())
	require.Len(t, appsync.Kinds().Names(), 17)
}

// TestLoadIsTheSameEveryTime loads an app many times: what it declares doesn't
// depend on which file was read first.
func TestLoadIsTheSameEveryTime(t *testing.T) {
	t.Parallel()
	var first []byte
	for range 50 {
		config, err := appsync.Load(os.DirFS("testdata/shop"), nil)
		require.NoError(t, err)
		now := jsonOf(t, config.Desired)
		if first == nil {
			first = now
		}
		require.True(t, bytes.Equal(first, now))
	}
}

func TestLoadFromElsewhere(t *testing.T) {
	t.Parallel()
	_, err := appsync.Load(app(map[string]string{"runner.toml": "runner_tpye = 1"}), &appsync.LoadOptions{Dir: "config/shop"})
	require.EqualError(t, err, `config/shop/runner.toml:1:1: runner_tpye: unknown field; did you mean "runner_type"?`)
}

// TestForms declares the same in different ways.
func TestForms(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		one, same map[string]string
	}{
		{"secrets in a file or a folder",
			map[string]string{"secrets.toml": "[[secret]]\nname = 'a'\nrequired = true\n"},
			map[string]string{"secrets/deep/x.toml": "name = 'a'\nrequired = true\n"}},
		{"roles in a file or a folder",
			map[string]string{"permissions.toml": "[provision_role]\nname = 'p'\n[[custom_roles]]\nname = 'c'\n[[roles]]\nname = 'm'\ntype = 'maintenance'\n"},
			map[string]string{
				"permissions/p.toml": "name = 'p'\ntype = 'provision'\n", "permissions/c.toml": "name = 'c'\ntype = 'custom'\n",
				"permissions/m.toml": "name = 'm'\ntype = 'maintenance'\n",
			}},
		{"policies in a file or a folder",
			map[string]string{"policies.toml": "[[policy]]\ntype = 'sandbox'\ncontents = './policies/p.rego'\n", "policies/p.rego": "package p\n"},
			map[string]string{"policies/p.toml": "type = 'sandbox'\ncontents = './p.rego'\n", "policies/p.rego": "package p\n"}},
		{"break-glass roles in a file or a folder",
			map[string]string{"break_glass.toml": "[[role]]\nname = 'b'\n"},
			map[string]string{"break_glass/b.toml": "name = 'b'\n"}},
		{"contexts in a file or a folder",
			map[string]string{"kubernetes_contexts.toml": "[[kubernetes_context]]\nname = 'k'\ncomponent = 'a'\n", "components/a.toml": component},
			map[string]string{"kubernetes_contexts/k.toml": "name = 'k'\ncomponent = 'a'\n", "components/a.toml": component}},
		{"inputs in a file or in folders",
			map[string]string{"inputs.toml": "[[group]]\nname = 'g'\n[[input]]\nname = 'a'\ndefault = 1\n[[input]]\nname = 'b'\n"},
			map[string]string{
				"inputs/1.toml": "name = 'a'\ndefault = 1\n", "inputs/2.toml": "name = 'b'\n", "input_groups/g.toml": "name = 'g'\n",
			}},
		{"operation roles in a file or a folder",
			map[string]string{"operation_roles.toml": "[[rules]]\nprincipal = 'p'\n"},
			map[string]string{"operation_roles/p.toml": "principal = 'p'\n"}},
		{"a stack in a file or a folder",
			map[string]string{"stack.toml": "type = 't'\nname = 'n'\n"},
			map[string]string{"stack/main.toml": "type = 't'\nname = 'n'\n"}},
		{"an empty file or none",
			map[string]string{"secrets.toml": "# none yet\n", "policies.toml": "\n", "stack.toml": ""},
			map[string]string{}},
		{"an empty file beside a folder, or none",
			map[string]string{"secrets.toml": "# see the folder\n", "secrets/a.toml": "name = 'a'\n"},
			map[string]string{"secrets/a.toml": "name = 'a'\n"}},
		{"no components, or an empty folder of them",
			map[string]string{"components/README.md": "none"},
			map[string]string{}},
		{"fields beside the type or in its table",
			map[string]string{"components/a.toml": "name = 'a'\ntype = 'helm_chart'\nchart_name = 'c'\n[values]\nx = '1'\n"},
			map[string]string{"components/a.toml": "name = 'a'\ntype = 'helm_chart'\n[helm_chart]\nchart_name = 'c'\n[[helm_chart.value]]\nname = 'x'\nvalue = '1'\n"}},
		{"one name of a type or the other",
			map[string]string{"components/a.toml": "name = 'a'\ntype = 'container_image'\n[container_image.public]\nimage_url = 'i'\n"},
			map[string]string{"components/a.toml": "name = 'a'\ntype = 'external_image'\n[external_image.public]\nimage_url = 'i'\n"}},
		{"variables in a table or in pairs",
			map[string]string{"components/a.toml": component + "[vars]\na = '1'\nb = '2'\n[env_vars]\nc = '3'\n"},
			map[string]string{"components/a.toml": component + "[vars]\na = '1'\n[[var]]\nname = 'b'\nvalue = '2'\n[[env_var]]\nname = 'c'\nvalue = '3'\n"}},
		{"text or the file that holds it",
			map[string]string{"components/a.toml": "name = 'a'\ntype = 'kubernetes_manifest'\nmanifest = 'kind: Pod'\n"},
			map[string]string{"components/a.toml": "name = 'a'\ntype = 'kubernetes_manifest'\nmanifest = './pod.yaml'\n", "components/pod.yaml": "kind: Pod"}},
		{"one file or a source",
			map[string]string{"components/a.toml": component + "labels = { x = '1', y = '2' }\n[[var_file]]\ncontents = 'base'\n[[var_file]]\ncontents = 'own'\n"},
			map[string]string{
				"components/a.toml":      "source = 'base.toml'\nname = 'a'\nlabels = { x = '1' }\n[[var_file]]\ncontents = 'own'\n",
				"components/base.toml":   "type = 'terraform_module'\nlabels = { x = '3', y = '2' }\n[[var_file]]\ncontents = './base.tfvars'\n",
				"components/base.tfvars": "base",
			}},
		{"one source or a chain of them",
			map[string]string{"inputs.toml": "[[input]]\nname = 'c'\n[[input]]\nname = 'b'\n[[input]]\nname = 'a'\n"},
			map[string]string{
				"inputs.toml":   "sources = ['shared/b.toml']\n[[input]]\nname = 'a'\n",
				"shared/b.toml": "source = './c.toml'\n[[input]]\nname = 'b'\n", "shared/c.toml": "[[input]]\nname = 'c'\n",
			}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, string(jsonOf(t, load(t, test.one))), string(jsonOf(t, load(t, test.same))))
		})
	}
}

// TestStaysText holds what looks like more than text and is none.
func TestStaysText(t *testing.T) {
	t.Parallel()
	desired := load(t, map[string]string{
		"actions/a.toml":    "name = 'a'\n[[steps]]\nname = 's'\ncommand = './run.sh'\ninline_contents = \"./run.sh\\n./again.sh\"\n",
		"components/a.toml": component + "[vars]\nid = '{{.nuon.install.id}}'\nfile = './x.yaml'\n[[var_file]]\ncontents = 'https://example.com/x'\n",
	})
	require.JSONEq(t, `{"steps":[{"name":"s","command":"./run.sh","inline_contents":"./run.sh\n./again.sh"}]}`, configOf(desired, "action/a"))
	require.JSONEq(t, `{"vars":{"id":"{{.nuon.install.id}}","file":"./x.yaml"},"var_file":[{"contents":"https://example.com/x"}]}`,
		configOf(desired, "component/a"))
}

// TestEdges tells what comes after what.
func TestEdges(t *testing.T) {
	t.Parallel()
	desired := load(t, map[string]string{
		"components/a.toml":        component,
		"components/b.toml":        "name = 'b'\ntype = 'job'\nvar_name = 'bee'\n",
		"components/c.toml":        "name = 'c'\ntype = 'job'\ndependencies = ['b', 'a', 'b']\n",
		"components/d.toml":        "name = 'd'\ntype = 'helm_chart'\n[values]\nx = '{{ .nuon.components.bee.outputs.x }}, {{.nuon.install.components.a.outputs.y}}'\n[[values_file]]\ncontents = './d.yaml'\n",
		"components/d.yaml":        "z: '{{.nuon.components.c.outputs}}' # nuon.components.none.output, nuon.components.{{x}}.outputs, nuon.components.",
		"components/e.toml":        "name = 'e'\ntype = 'job'\nkubernetes_context = 'k'\n",
		"kubernetes_contexts.toml": "[[kubernetes_context]]\nname = 'k'\ncomponent = 'a'\n",
		"actions/a.toml":           "name = 'a'\ndependencies = ['a']\nkubernetes_context = 'k'\n[[triggers]]\ncomponent_name = 'b'\n[[steps]]\ncommand = 'echo {{.nuon.components.c.outputs.x}}'\n",
		"runbooks/q.toml":          "name = 'q'\nreadme = 'nuon.components.none.outputs'\n",
		"runbooks/r.toml":          "name = 'r'\n[[steps]]\ncomponent_name = 'a'\n[[steps]]\naction_name = 'a'\n[[steps]]\ncommand = 'echo {{.nuon.components.c.outputs.x}}'\n",
		"policies.toml":            "[[policy]]\nname = 'p'\ncomponents = ['a']\n[[policy]]\nname = 'all'\ncomponents = ['*']\n",
		"installs/i.toml":          "name = 'i'\n[component_toggles]\na = true\n[components.b]\ntf_vars = ''\n",
	})
	got := map[string]string{}
	for _, r := range desired.Resources {
		var after []string
		for _, key := range r.After {
			after = append(after, key.String())
		}
		if after != nil {
			got[r.Key.String()] = strings.Join(after, " ")
		}
	}
	require.Equal(t, map[string]string{
		"component/c":          "component/a component/b",
		"component/d":          "component/a component/b component/c",
		"component/e":          "kubernetes_context/k",
		"kubernetes_context/k": "component/a",
		"action/a":             "component/a component/b component/c kubernetes_context/k",
		"runbook/r":            "action/a component/a component/c",
		"policy/p":             "component/a",
		"install/i":            "component/a component/b",
	}, got)
}

// TestWarnings tells what is no mistake.
func TestWarnings(t *testing.T) {
	t.Parallel()
	config, err := appsync.Load(app(map[string]string{
		"metadata.toml": "version = 'v1'\nreadme = './README.md'\nlabel_colors = {}\n[onboarding]\nenabled = true\nstars = 5\n",
		"policies.toml": "[[policy]]\ntype = 'sandbox'\ncontents = 'package p'\n",
	}), nil)
	require.NoError(t, err)
	var got []string
	for _, warning := range config.Desired.Warnings {
		got = append(got, warning.String())
	}
	require.Equal(t, []string{
		"metadata.toml:2:1: the readme ./README.md is not there and is left out",
		"metadata.toml:3:1: label_colors is not known and is left out",
		"metadata.toml:6:1: onboarding.stars is not known and is left out",
		"policies.toml:1:3: a policy without a name is known by its place: policy[0]; give it a name",
	}, got)
	require.JSONEq(t, `{"version":"v1","onboarding":{"enabled":true}}`, configOf(config.Desired, "metadata/metadata"))
}

// TestForeignFiles holds that only files of the format are looked at.
func TestForeignFiles(t *testing.T) {
	t.Parallel()
	desired := load(t, map[string]string{
		".trueup/state.toml": "not ours", "components/.cache.toml": "not ours", "components/main.tf": "not ours",
		"src/worker/pyproject.toml": "[project]\n", "src/worker/main.py": "pass", "README.md": "Read me.",
	})
	require.Len(t, desired.Resources, 3)
}

// TestLinks follows symbolic links, but not out of the config directory, neither
// in a plain directory nor in a root.
func TestLinks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, file := range app(map[string]string{
		"app/x": "x", "parts/a.toml": component, "parts/b.yaml": "b", "more/notes.md": "n", "more/c.toml": strings.Replace(component, "'a'", "'c'", 1),
	}) {
		writeFile(t, filepath.Join(dir, "app", name), file.Data)
	}
	writeFile(t, filepath.Join(dir, "outside/o.toml"), []byte(strings.Replace(component, "'a'", "'o'", 1)))
	link := func(target, name string) {
		t.Helper()
		name = filepath.Join(dir, "app", name)
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
		require.NoError(t, os.Symlink(target, name))
	}
	link("../parts/a.toml", "components/a.toml")
	link("../more", "components/more")
	link("../components", "components/loop")
	link("nowhere", "components/nowhere.yaml")

	everyway := func(t *testing.T, check func(*appsync.Config, error)) {
		t.Helper()
		check(appsync.Load(os.DirFS(filepath.Join(dir, "app")), nil))
		root, err := os.OpenRoot(filepath.Join(dir, "app"))
		require.NoError(t, err)
		check(appsync.Load(root.FS(), nil))
		require.NoError(t, root.Close())
	}
	everyway(t, func(config *appsync.Config, err error) {
		require.NoError(t, err)
		require.Equal(t, "components/a.toml:1:1", config.Desired.Positions[state.Key{Kind: "component", Name: "a"}].String())
		require.Equal(t, "components/more/c.toml:1:1", config.Desired.Positions[state.Key{Kind: "component", Name: "c"}].String())
		require.Len(t, config.Desired.Resources, 5)
	})

	link("../../outside/o.toml", "components/o.toml")
	link("../../outside", "components/outside")
	link(filepath.Join(dir, "outside"), "actions")
	link("nowhere.toml", "components/dangling.toml")
	link("self.toml", "components/self.toml")
	link("../../../outside/o.toml", "components/deep/file.yaml")
	writeFile(t, filepath.Join(dir, "app/components/reads.toml"),
		[]byte("name = 'reads'\ntype = 'kubernetes_manifest'\nmanifest = './deep/file.yaml'\n"))
	everyway(t, func(_ *appsync.Config, err error) {
		require.EqualError(t, err, strings.Join([]string{
			"actions: the folder is outside of the config directory",
			"components/dangling.toml: the file is not there",
			"components/o.toml: the file is outside of the config directory",
			"components/outside: the folder is outside of the config directory",
			"components/reads.toml:3:1: the file ./deep/file.yaml is outside of the config directory",
			"components/self.toml: the file leads through too many symbolic links",
		}, "\n"))
	})
}

func writeFile(t *testing.T, name string, data []byte) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
	require.NoError(t, os.WriteFile(name, data, 0o600))
}

// load returns what an app with the files declares.
func load(t *testing.T, files map[string]string) *sync.Desired {
	t.Helper()
	config, err := appsync.Load(app(files), nil)
	require.NoError(t, err)
	return config.Desired
}

func jsonOf(t *testing.T, desired *sync.Desired) []byte {
	t.Helper()
	var b []byte
	for i := range desired.Resources {
		var err error
		b, err = desired.Resources[i].AppendJSON(b)
		require.NoError(t, err)
		b = append(b, '\n')
	}
	return b
}

func configOf(desired *sync.Desired, key string) string {
	for _, r := range desired.Resources {
		if r.Key.String() == key {
			return string(r.Config)
		}
	}
	return ""
}
