package appsync_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing/fstest"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/appsync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// shop is a config directory. A real one is os.DirFS("config"), or better the
// file system of os.OpenRoot("config").
func shop() fstest.MapFS {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	return fstest.MapFS{
		"metadata.toml": file("version = 'v2'\ndisplay_name = 'Shop'\n"),
		"sandbox.toml":  file("terraform_version = '1.11.3'\n"),
		"runner.toml":   file("runner_type = 'aws'\n"),
		"components/database.toml": file(`
name              = "database"
type              = "terraform_module"
terraform_version = "1.11.3"
`),
		"components/api.toml": file(`
name       = "api"
type       = "helm_chart"
chart_name = "api"

[[values_file]]
contents = "./api.yaml"
`),
		"components/api.yaml": file("database: '{{.nuon.components.database.outputs.address}}'\n"),
		"actions/health.toml": file(`
name = "health"

[[triggers]]
type           = "post-deploy-component"
component_name = "api"

[[steps]]
name    = "ask"
command = "./health.sh"
`),
	}
}

func Example() {
	config, err := appsync.Load(shop(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	backend := syncertest.NewMemory(state.Scope{Org: "acme", App: "shop"}) // or filesyncer.New, …
	engine, err := sync.New(backend, appsync.Kinds(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := appsync.SetOrgContext(context.Background(), "acme")
	ctx = appsync.SetAccountContext(ctx, "ann")
	syncer := appsync.New(engine, config)
	if err := syncer.Sync(ctx); err != nil {
		fmt.Println(err)
		return
	}
	for _, component := range syncer.GetComponentsScheduled() {
		fmt.Println("build", component.Name)
	}

	// Later, without the action.
	files := shop()
	delete(files, "actions/health.toml")
	if config, err = appsync.Load(files, nil); err != nil {
		fmt.Println(err)
		return
	}
	syncer = appsync.New(engine, config)
	if err := syncer.Sync(ctx); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(syncer.GetComponentsScheduled()), "to build")
	for name := range syncer.OrphanedActions() {
		fmt.Println("no longer declared:", name)
	}
	// Output:
	// build api
	// build database
	// 0 to build
	// no longer declared: health
}

func ExampleLoad() {
	config, err := appsync.Load(shop(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range config.Desired.Resources {
		fmt.Println(config.Desired.Positions[r.Key], r.Key, r.Type, r.After)
	}
	// Output:
	// actions/health.toml:2:1 action/health  [component/api]
	// components/api.toml:2:1 component/api helm_chart [component/database]
	// components/database.toml:2:1 component/database terraform_module []
	// metadata.toml:1:1 metadata/metadata  []
	// runner.toml:1:1 runner/runner  []
	// sandbox.toml:1:1 sandbox/sandbox  []
}

func ExampleLoad_mistakes() {
	files := shop()
	files["components/api.toml"] = &fstest.MapFile{Data: []byte(`
name         = "api"
type         = "helm_chart"
dependancies = ["database"]
dependencies = ["databse"]
`)}
	files["components/database.toml"].Data = append(files["components/database.toml"].Data, "chart_name = 'database'\n"...)
	_, err := appsync.Load(files, nil)
	fmt.Println(err)
	// Output:
	// components/api.toml:4:1: dependancies: unknown field; did you mean "dependencies"?
	// components/api.toml:5:17: component/api depends on component/databse, which is not declared; did you mean "database"?
	// components/database.toml:5:1: a terraform_module has no chart_name; that is for helm_chart
}

func ExampleLoad_warnings() {
	files := shop()
	files["metadata.toml"].Data = []byte("version = 'v2'\nlabel_colors = { tier = '#ffffff' }\n")
	config, err := appsync.Load(files, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, warning := range config.Desired.Warnings {
		fmt.Println(warning)
	}
	// Output:
	// metadata.toml:2:1: label_colors is not known and is left out
}

// A handler reads a component's Config as a Component.
func ExampleComponent() {
	config, err := appsync.Load(shop(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range config.Desired.Resources {
		if r.Kind != appsync.KindComponent || appsync.AppComponentType(r.Type) != appsync.HelmChart {
			continue
		}
		var component appsync.Component
		if err := json.Unmarshal(r.Config, &component); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Print(r.Name, " ", component.ChartName, " ", component.ValuesFiles[0].Contents)
	}
	// Output:
	// api api database: '{{.nuon.components.database.outputs.address}}'
}

func ExampleStateOf() {
	head := state.Head{Scope: state.Scope{Org: "acme", App: "shop"}, ConfigID: "cfg1"}
	records := []state.Record{{
		Key: state.Key{Kind: appsync.KindAction, Name: "health"}, ID: "act1",
	}, {
		Key: state.Key{Kind: appsync.KindRunner, Name: "runner"}, ID: "run1", ConfigID: "run2",
	}}
	raw, err := json.MarshalIndent(appsync.StateOf(head, records), "", "  ")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(raw))
	// Output:
	// {
	//   "version": "v1",
	//   "config_id": "cfg1",
	//   "app_id": "shop",
	//   "installer_id": "",
	//   "runner_config_id": "run2",
	//   "sandbox_config_id": "",
	//   "input_config_id": "",
	//   "components": [],
	//   "actions": [
	//     {
	//       "name": "health",
	//       "id": "act1"
	//     }
	//   ]
	// }
}

// buildServer is what a host knows of its builds.
type buildServer map[string]bool

// Failed implements appsync.Builds.
func (s buildServer) Failed(context.Context) ([]string, error) {
	var failed []string
	for name, ok := range s {
		if !ok {
			failed = append(failed, name)
		}
	}
	return failed, nil
}

// A component whose last build failed is scheduled again, although nothing of
// it changed.
func ExampleBuilds() {
	config, err := appsync.Load(shop(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	config.Builds = buildServer{"api": false, "database": true}
	engine, err := sync.New(syncertest.NewMemory(state.Scope{Org: "acme", App: "shop"}), appsync.Kinds(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := appsync.SetAccountContext(appsync.SetOrgContext(context.Background(), "acme"), "ann")
	syncer := appsync.New(engine, config)
	for range 2 {
		if err := syncer.Sync(ctx); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(names(syncer.GetComponentsScheduled()))
	}
	// Output:
	// [api database]
	// [api]
}

func ExampleKinds() {
	fmt.Println(appsync.Kinds().Names())
	// Output:
	// [action branch break_glass_role component inputs install installer kubernetes_context metadata operation_roles policy role runbook runner sandbox secret stack]
}

func ExampleParseAppComponentType() {
	fmt.Println(appsync.ParseAppComponentType("container_image"))
	fmt.Println(appsync.ParseAppComponentType("helm"))
	// Output:
	// external_image true
	//  false
}
