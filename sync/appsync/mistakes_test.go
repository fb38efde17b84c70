package appsync_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/hashicorp/go-multierror"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync/appsync"
	"github.com/trueup-go/trueup/sync/manifest"
)

// TestMistakes makes every sort of mistake, one at a time.
func TestMistakes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"a required file is missing", map[string]string{"sandbox.toml": ""}, []string{
			"sandbox.toml: the file is not there; every app has one",
		}},
		{"a required file is empty", map[string]string{"runner.toml": "# nothing\n"}, []string{
			"runner.toml:1:1: the file holds no keys; declare the runner, or remove the file",
		}},
		{"an unknown key", map[string]string{"components/a.toml": component + "dependancies = ['b']\nfrobnicate = true\n"}, []string{
			`components/a.toml:3:1: dependancies: unknown field; did you mean "dependencies"?`,
			"components/a.toml:4:1: frobnicate: unknown field",
		}},
		{"an unknown key in a list", map[string]string{"actions/a.toml": "name = 'a'\n\n[[steps]]\nname = 's'\n[[steps]]\n  comand = 'x'\n"}, []string{
			`actions/a.toml:6:3: steps[1].comand: unknown field; did you mean "command"?`,
		}},
		{"an unknown key at the top of a file of many", map[string]string{"secrets.toml": "[[secrets]]\nname = 'a'\n"}, []string{
			`secrets.toml:1:3: secrets: unknown field; did you mean "secret"?`,
		}},
		{"an unknown key in one of many", map[string]string{"secrets.toml": "[[secret]]\nname = 'a'\n[[secret]]\nname = 'b'\nrequird = true\n"}, []string{
			`secrets.toml:5:1: secret[1].requird: unknown field; did you mean "required"?`,
		}},
		{"a value of the wrong type", map[string]string{"components/a.toml": component + "max_auto_retries = '5'\ndependencies = 'b'\n[vars]\nreplicas = 3\n"}, []string{
			"components/a.toml:3:1: max_auto_retries: want a whole number, found text",
			"components/a.toml:4:1: dependencies: want a list of text, found text",
			"components/a.toml:6:1: vars.replicas: want text, found the number 3",
		}},
		{"a component without a name", map[string]string{"components/api.toml": "type = 'job'\n"}, []string{
			`components/api.toml:1:1: a component without a name; write name = "api"`,
		}},
		{"one of many without a name", map[string]string{"secrets.toml": "[[secret]]\nrequired = true\n"}, []string{
			`secrets.toml:1:3: a secret without a name; write name = "secrets"`,
		}},
		{"a name that can't be one", map[string]string{"actions/a.toml": "name = \"a\\nb\"\n"}, []string{
			`actions/a.toml:1:1: action name "a\nb" holds a control character`,
		}},
		{"an empty named file", map[string]string{"components/a.toml": "# later\n", "inputs/b.toml": "\n"}, []string{
			"components/a.toml:1:1: the file holds no keys; declare the component, or remove the file",
			"inputs/b.toml:1:1: the file holds no keys; declare the input, or remove the file",
		}},
		{"the same name twice", map[string]string{
			"components/a.toml": component, "components/deep/b.toml": "type = 'job'\nname = 'a'\n",
			"actions/a.toml": "name = 'x'\n", "actions/b.toml": "name = 'x'\n",
			"inputs.toml": "[[input]]\nname = 'i'\n[[input]]\nname = 'i'\n[[group]]\nname = 'i'\n",
		}, []string{
			"actions/b.toml:1:1: action/x is declared twice; the first is at actions/a.toml:1:1",
			"components/deep/b.toml:2:1: component/a is declared twice; the first is at components/a.toml:1:1",
			`inputs.toml:4:1: input "i" is declared twice; the first is at inputs.toml:2:1`,
		}},
		{"a component without a type", map[string]string{"components/a.toml": "name = 'a'\n"}, []string{
			"components/a.toml:1:1: a component without a type; write type = one of container_image, docker_build, external_image, helm_chart, job, kubernetes_manifest, pulumi, terraform_module",
		}},
		{"an unknown type", map[string]string{"components/a.toml": "name = 'a'\ntype = 'helm_chrat'\n", "components/b.toml": "name = 'b'\ntype = 'x'\n"}, []string{
			`components/a.toml:2:1: unknown component type "helm_chrat"; did you mean "helm_chart"?`,
			`components/b.toml:2:1: unknown component type "x"; write one of container_image, docker_build, external_image, helm_chart, job, kubernetes_manifest, pulumi, terraform_module`,
		}},
		{"a field of another type", map[string]string{"components/a.toml": component + "chart_name = 'c'\n[kustomize]\npath = '.'\n"}, []string{
			"components/a.toml:3:1: a terraform_module has no chart_name; that is for helm_chart",
			"components/a.toml:4:2: a terraform_module has no kustomize; that is for kubernetes_manifest",
		}},
		{"a field of another type in a table of the type", map[string]string{"components/a.toml": component + "[terraform_module]\nnamespace = 'n'\n"}, []string{
			"components/a.toml:4:1: a terraform_module has no namespace; that is for helm_chart, kubernetes_manifest",
		}},
		{"a table of another type", map[string]string{"components/a.toml": component + "[helm_chart]\nchart_name = 'c'\n"}, []string{
			`components/a.toml:3:2: a terraform_module has no table helm_chart; write [terraform_module], or type = "helm_chart"`,
		}},
		{"a field set twice", map[string]string{"components/a.toml": component + "terraform_version = '1'\n[terraform_module]\nterraform_version = '2'\n"}, []string{
			"components/a.toml:5:1: terraform_version is set twice; the other is at components/a.toml:3:1",
		}},
		{"a variable set twice", map[string]string{"sandbox.toml": "[vars]\nx = '1'\n[[var]]\nname = 'x'\nvalue = '2'\n"}, []string{
			"sandbox.toml:4:1: x is set twice; keep one of them",
		}},
		{"an unknown build", map[string]string{"components/a.toml": component + "build = 'daily'\n"}, []string{
			`components/a.toml:3:1: unknown build "daily"; write "always", or leave it out`,
		}},
		{"an unknown version", map[string]string{"metadata.toml": "version = 'v3'\n"}, []string{
			`metadata.toml:1:1: unknown version "v3"; write "v1" or "v2"`,
		}},
		{"no version", map[string]string{"metadata.toml": "display_name = 'x'\n"}, []string{
			`metadata.toml:1:1: metadata without a version; write version = "v2"`,
		}},
		{"a dependency that is not declared", map[string]string{
			"components/database.toml": "name = 'database'\ntype = 'job'\n",
			"components/a.toml":        component + "dependencies = ['databse', 'none']\n",
		}, []string{
			`components/a.toml:3:17: component/a depends on component/databse, which is not declared; did you mean "database"?`,
			"components/a.toml:3:28: component/a depends on component/none, which is not declared; declare the component, or remove the name",
		}},
		{"a reference to what is not declared", map[string]string{
			"components/a.toml":        "name = 'a'\ntype = 'helm_chart'\n[values]\nx = '{{.nuon.components.bbb.outputs.x}}'\n[[values_file]]\ncontents = './values/a.yaml'\n",
			"components/values/a.yaml": "x: 1\nyy: {{.nuon.components.ccc.outputs.x}}\n",
		}, []string{
			"components/a.toml:4:1: component/a depends on component/bbb, which is not declared; declare the component, or remove the name",
			"components/values/a.yaml:2:8: component/a depends on component/ccc, which is not declared; declare the component, or remove the name",
		}},
		{"a step that names what is not declared", map[string]string{
			"components/a.toml": component, "actions/restart.toml": "name = 'restart'\n[[triggers]]\ntype = 'pre-deploy-component'\ncomponent_name = 'b'\n",
			"runbooks/r.toml": "name = 'r'\n[[steps]]\naction_name = 'restrat'\n[[steps]]\ncomponent_name = 'c'\n",
			"installs/i.toml": "name = 'i'\n[component_toggles]\nd = true\n",
			"policies.toml":   "[[policy]]\nname = 'p'\ncomponents = ['e']\n",
		}, []string{
			"actions/restart.toml:4:1: action/restart depends on component/b, which is not declared; did you mean \"a\"?",
			"installs/i.toml:3:1: install/i depends on component/d, which is not declared; did you mean \"a\"?",
			"policies.toml:3:15: policy/p depends on component/e, which is not declared; did you mean \"a\"?",
			`runbooks/r.toml:3:1: runbook/r depends on action/restrat, which is not declared; did you mean "restart"?`,
			"runbooks/r.toml:5:1: runbook/r depends on component/c, which is not declared; did you mean \"a\"?",
		}},
		{"a component that depends on itself", map[string]string{"components/a.toml": component + "[vars]\nx = '{{.nuon.components.a.outputs.x}}'\n"}, []string{
			"components/a.toml:4:1: component/a depends on itself; remove the dependency",
		}},
		{"a circle", map[string]string{
			"components/a.toml": component + "dependencies = ['b']\n",
			"components/b.toml": "name = 'b'\ntype = 'helm_chart'\n[values]\nx = '{{.nuon.components.c.outputs.x}}'\n",
			"components/c.toml": "name = 'c'\ntype = 'job'\ndependencies = ['a']\n",
		}, []string{
			"components/a.toml:3:17: a dependency cycle: component/a → component/b → component/c → component/a; they are at components/a.toml:3:17, components/b.toml:4:1, components/c.toml:3:17: one of them must go",
		}},
		{"a file that is named and not there", map[string]string{
			"components/data/a.toml": "name = 'a'\ntype = 'kubernetes_manifest'\nmanifest = './pod.yaml'\n",
			"break_glass.toml":       "[[role]]\nname = 'b'\npermissions_boundary = './b.json'\n",
		}, []string{
			"break_glass.toml:3:1: the file ./b.json is not there; looked in the config directory, permissions",
			"components/data/a.toml:3:1: the file ./pod.yaml is not there; looked in components/data, components, the config directory",
		}},
		{"a file that is outside", map[string]string{"components/a.toml": "name = 'a'\ntype = 'kubernetes_manifest'\nmanifest = '../../secret.yaml'\n"}, []string{
			"components/a.toml:3:1: the file ../../secret.yaml is outside of the config directory",
		}},
		{"a file that is no text", map[string]string{
			"components/a.toml": "name = 'a'\ntype = 'kubernetes_manifest'\nmanifest = './pod.yaml'\n", "components/pod.yaml": "\xff\xfe",
			"components/b.toml": "name = 'b'\ntype = 'kubernetes_manifest'\nmanifest = './'\n",
		}, []string{
			"components/a.toml:3:1: the file ./pod.yaml is not text in UTF-8",
			"components/b.toml:3:1: the file ./ is a folder",
		}},
		{"a source that is wrong", map[string]string{
			"components/a.toml": "source = './none.toml'\n" + component, "components/b.toml": "name = 'b'\nsource = './b.yaml'\ntype = 'job'\n", "components/b.yaml": "b",
			"components/c.toml": "name = 'c'\nsource = './d.toml'\n", "components/d.toml": "type = 'job'\nimage = 'i'\nsource = './c.toml'\n",
		}, []string{
			"components/a.toml:1:1: the source ./none.toml is not there",
			"components/b.toml:2:1: the source ./b.yaml is no .toml file",
			`components/d.toml:2:1: image: unknown field`,
			"components/d.toml:3:1: components/c.toml is its own source",
		}},
		{"a file and a folder", map[string]string{
			"secrets.toml": "[[secret]]\nname = 'a'\n", "secrets/b.toml": "name = 'b'\n",
			"inputs.toml": "[[input]]\nname = 'a'\n", "input_groups/g.toml": "name = 'g'\n",
			"stack/a.toml": "name = 'a'\n", "stack/b.toml": "name = 'b'\n",
		}, []string{
			"inputs.toml:1:1: this file and input_groups/g.toml can't both declare something; keep the file or the folder",
			"secrets.toml:1:1: this file and secrets/b.toml can't both declare something; keep the file or the folder",
			"stack/b.toml:1:1: stack is declared twice; the first is at stack/a.toml",
		}},
		{"a file of no kind", map[string]string{
			"widgets.toml": "x = 1\n", "polices.toml": "x = 1\n", "components.toml": component,
			"component/a.toml": component, "component/values.yaml": "x", "policy/a.toml": "x = 1\n", "policy/a.rego": "x", "widgets/a.toml": "x = 1\n",
		}, []string{
			"component/a.toml: the file belongs to no kind; did you mean components/?",
			"components.toml: the file belongs to no kind; put one file for each component into components/",
			"polices.toml: the file belongs to no kind; did you mean policies.toml?",
			"policy/a.toml: the file belongs to no kind; did you mean policies/?",
			"widgets.toml: the file belongs to no kind; known are branch.toml, break_glass.toml, inputs.toml, installer.toml, kubernetes_contexts.toml, metadata.toml, operation_roles.toml, permissions.toml, policies.toml, runner.toml, sandbox.toml, secrets.toml, stack.toml",
			"widgets/a.toml: the file belongs to no kind; known are actions/, branch/, break_glass/, components/, input_groups/, inputs/, installer/, installs/, kubernetes_contexts/, operation_roles/, permissions/, policies/, runbooks/, secrets/, stack/",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := appsync.Load(app(test.files), nil)
			require.EqualError(t, err, strings.Join(test.want, "\n"))
			for _, err := range errors.Join(err).(interface{ Unwrap() []error }).Unwrap() {
				var mistake manifest.Mistake
				require.ErrorAs(t, err, &mistake)
			}
		})
	}
}

// TestSyntaxError leaves the words to package manifest.
func TestSyntaxError(t *testing.T) {
	t.Parallel()
	_, err := appsync.Load(app(map[string]string{"components/a.toml": "name = 'a'\ntype = helm_chart\n"}), nil)
	var mistake manifest.Mistake
	require.ErrorAs(t, err, &mistake)
	require.Equal(t, "components/a.toml:2:8", mistake.Position.String())
	require.Len(t, strings.Split(err.Error(), "\n"), 1)
}

// TestMistakesAllAtOnce makes ten mistakes in one directory. One doesn't hide
// another, nor make one up: the name of a file that can't be read is not called
// unknown.
func TestMistakesAllAtOnce(t *testing.T) {
	t.Parallel()
	_, err := appsync.Load(app(map[string]string{
		"metadata.toml":            "version = 'v9'\n",
		"runner.toml":              "",
		"components/1-broken.toml": "= 'broken'\n",
		"components/a.toml":        component + "dependancies = []\ndependencies = ['broken', 'nobody']\n",
		"components/b.toml":        "name = 'b'\ntype = 'helm'\n",
		"components/c.toml":        "name = 'a'\ntype = 'job'\n",
		"actions/x.toml":           "name = 'x'\n[[steps]]\ninline_contents = './none.sh'\n",
		"secrets/empty.toml":       "\n",
		"widgets.toml":             "x = 1\n",
	}), nil)
	var all *multierror.Error
	require.ErrorAs(t, err, &all)
	require.Len(t, all.Errors, 10, err.Error())
	require.NotContains(t, err.Error(), "component/broken")
	require.True(t, strings.HasPrefix(err.Error(), "actions/x.toml:3:1: "), err.Error())
}

// TestLoadOfNothing reports a directory that isn't there as one thing.
func TestLoadOfNothing(t *testing.T) {
	t.Parallel()
	_, err := appsync.Load(app(map[string]string{"metadata.toml": "", "sandbox.toml": "", "runner.toml": ""}), nil)
	require.EqualError(t, err, strings.Join([]string{
		"metadata.toml: the file is not there; every app has one",
		"runner.toml: the file is not there; every app has one",
		"sandbox.toml: the file is not there; every app has one",
	}, "\n"))
}
