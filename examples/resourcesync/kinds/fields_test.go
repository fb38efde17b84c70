package kinds_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/examples/resourcesync/kinds"
	"github.com/trueup-go/trueup/sync/manifest"
)

// TestFields holds every field's names, type and default against the table of the
// original's.
func TestFields(t *testing.T) {
	t.Parallel()
	set := set()
	require.NoError(t, set.Err())
	var got []string
	for _, kind := range set.Names() {
		visit(kind, set.Schema(kind), func(path string, f *diff.SchemaField) { got = append(got, describe(path, f)) })
	}
	table, err := os.ReadFile("testdata/fields.txt")
	require.NoError(t, err)
	var want []string
	for line := range strings.Lines(string(table)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			want = append(want, line)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	require.Equal(t, strings.Join(want, "\n"), strings.Join(got, "\n"))
}

// TestMeanings holds which fields are references, which are sensitive and which
// have values of their own.
func TestMeanings(t *testing.T) {
	t.Parallel()
	set := set()
	var refs, sensitive []string
	oneOf := map[string]int{}
	for _, kind := range set.Names() {
		visit(kind, set.Schema(kind), func(path string, f *diff.SchemaField) {
			shape := &f.Value
			for ; shape.Elem != nil; shape = shape.Elem {
			}
			if shape.Ref != "" {
				refs = append(refs, path+" → "+shape.Ref)
			}
			if f.Sensitive {
				sensitive = append(sensitive, path)
			}
			if len(shape.OneOf) > 0 {
				oneOf[strings.Join(shape.OneOf, "|")]++
			}
		})
	}
	require.Equal(t, []string{
		"build.builder_id → builder",
		"build.linked_repo → repo",
		"builder.params.server_ids → server",
		"deployment.image.params.build_id → build",
		"deployment.server_id → server",
		"deployment.swarm_id → swarm",
		"repo.builder_id → builder",
		"repo.server_id → server",
		"resource_sync.linked_repo → repo",
		"stack.linked_repo → repo",
		"stack.server_id → server",
		"stack.swarm_id → swarm",
		"swarm.server_ids → server",
	}, refs)
	require.Equal(t, []string{
		"action.webhook_secret",
		"alerter.endpoint.params.url",
		"build.secret_args",
		"build.webhook_secret",
		"builder.params.git_providers[].accounts[].token",
		"builder.params.image_registries[].accounts[].token",
		"builder.params.passkey",
		"procedure.stages[].executions[].execution.data",
		"procedure.webhook_secret",
		"repo.webhook_secret",
		"resource_sync.webhook_secret",
		"server.passkey",
		"stack.webhook_secret",
		"variable.secret",
	}, sensitive)
	require.Equal(t, 2, oneOf["English|Cron"])
	require.Equal(t, 2, oneOf["running|stopped"])
	require.Equal(t, 2, oneOf["None|Read|Execute|Write"])
	require.Equal(t, 1, oneOf["no|on-failure|always|unless-stopped"])
}

// Editors are given the kinds as a JSON Schema.
func TestJSONSchema(t *testing.T) {
	t.Parallel()
	schema, err := manifest.JSONSchema(set(), kinds.Options())
	require.NoError(t, err)
	for _, name := range append(set().Names(), "stacks", "run_directory", "unless-stopped") {
		require.Contains(t, string(schema), `"`+name+`"`)
	}
}

// A change of these fields, and of no others, is a reason to deploy again. The
// original leaves out nine fields of a stack and five of a deployment.
func TestWhatRedeploys(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string][]string{
		kinds.KindStack: {
			"additional_env_files", "branch", "build_extra_args", "commit", "compose_cmd_wrapper", "config_files",
			"env_file_path", "environment", "extra_args", "file_contents", "file_paths", "git_account", "git_provider",
			"linked_repo", "post_deploy", "pre_deploy", "project_name", "registry_account", "registry_provider", "repo",
			"run_directory", "server_id", "skip_secret_interp", "state", "swarm_id",
		},
		kinds.KindDeployment: {
			"command", "custom_name", "environment", "extra_args", "image", "image_registry_account", "labels", "network",
			"ports", "replicas", "restart", "server_id", "skip_secret_interp", "state", "swarm_id", "termination_signal",
			"termination_timeout", "volumes",
		},
	} {
		var fields []string
		for _, f := range set().Schema(kind).Fields {
			if !f.NoDeploy {
				fields = append(fields, f.Name)
			}
		}
		slices.Sort(fields)
		require.Equal(t, want, fields, kind)
	}
}

// visit calls do for every field of a schema, and of what is inside.
func visit(path string, schema *diff.Schema, do func(path string, f *diff.SchemaField)) {
	for i := range schema.Fields {
		f := &schema.Fields[i]
		at := path + "." + f.Name
		do(at, f)
		shape := &f.Value
		for ; shape.Elem != nil; shape = shape.Elem {
			at += "[]"
		}
		if shape.Object != nil {
			visit(at, shape.Object, do)
		}
	}
}

// describe returns the line of a field.
func describe(path string, f *diff.SchemaField) string {
	line := path
	if len(f.Aliases) > 0 {
		line += " (" + strings.Join(f.Aliases, " ") + ")"
	}
	line += " " + typeOf(&f.Value)
	switch {
	case f.Required:
	case f.Default != nil:
		line += fmt.Sprintf(" = %s", f.Default)
	case f.OmitEmpty:
		line += " = none"
	}
	return line
}

func typeOf(shape *diff.Value) string {
	switch shape.Type {
	case diff.Object:
		return "table"
	case diff.List:
		return "list of " + plural(typeOf(shape.Elem))
	case diff.Map:
		return "table of " + plural(typeOf(shape.Elem))
	case diff.Any:
		return "anything"
	}
	return string(shape.Type)
}

func plural(name string) string { return strings.Replace(name, "table", "tables", 1) }
