package manifest_test

import (
	"fmt"
	"strings"
	"testing/fstest"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/manifest"
)

func ExampleLoad() {
	type Server struct {
		Address string `toml:"address" sync:"required"`
		Size    int    `toml:"size" sync:"default=1"`
	}
	config := fstest.MapFS{ // or os.DirFS("config")
		"servers.toml": {Data: []byte(`
[[server]]
name = "web"
after = ["db"]
config = { address = "10.0.0.1", size = 1 }

[[server]]
name = "db"
[server.config]
address = "10.0.0.2"
size = 4
`)},
	}
	kinds := sync.Kinds(sync.Define[Server]("server"))
	desired, err := manifest.Load(config, kinds, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range desired.Resources {
		fmt.Println(desired.Positions[r.Key], r.Key, r.After, string(r.Config))
	}
	// Output:
	// servers.toml:3:1 server/web [server/db] {"address":"10.0.0.1"}
	// servers.toml:8:1 server/db [] {"address":"10.0.0.2","size":4}
}

// Everything that is wrong in all the files is reported at once.
func ExampleLoad_mistakes() {
	type Server struct {
		Address string `toml:"address" sync:"required"`
	}
	config := fstest.MapFS{
		"a.toml": {Data: []byte(`[[server]]
name = "web"
address = "10.0.0.1"

[[serve]]
name = "db"
`)},
		"b.toml": {Data: []byte(`[[server]]
name = "web"
deploy = True
config = { adress = "10.0.0.1" }
`)},
	}
	_, err := manifest.Load(config, sync.Kinds(sync.Define[Server]("server")), nil)
	fmt.Println(err)
	// Output:
	// a.toml:3:1: address: unknown field; address belongs in [server.config]
	// a.toml:5:3: unknown kind "serve"; did you mean [[server]]?
	// b.toml:2:1: server/web is declared twice; the first is at a.toml:2:1
	// b.toml:3:10: want a value, found True; write true
	// b.toml:4:12: config.adress: unknown field; did you mean "address"?
}

func ExampleDecode() {
	doc, err := manifest.Decode("app.toml", []byte(`name = "shop"

[[steps]]
run = "build"
[[steps]]
run = "test"
vars.region = "eu-west"
`))
	fmt.Println(doc.Root["name"], err)
	fmt.Println(doc.Position("steps[1]"))
	fmt.Println(doc.Position("steps[1].vars.region"))
	fmt.Println(doc.Position("steps[1].vars.colour")) // not there: vars is the nearest
	// Output:
	// shop <nil>
	// app.toml:5:3
	// app.toml:7:6
	// app.toml:7:1
}

func ExampleMistakes() {
	doc, err := manifest.Decode("app.toml", []byte("name = \"shop\"\nport = \"eighty\"\n"))
	var m manifest.Mistakes
	m.AddErr(err) // nil adds nothing
	if _, ok := doc.Root["port"].(int64); !ok {
		m.Add(doc.Position("port"), "port: want a whole number, found text", "write port = 80")
	}
	if _, ok := doc.Root["region"]; !ok {
		m.Add(doc.Position("region"), "region: is required", "")
	}
	fmt.Println(m.Len(), "mistakes:")
	fmt.Println(m.Err())
	// Output:
	// 2 mistakes:
	// app.toml:1:1: region: is required
	// app.toml:2:1: port: want a whole number, found text; write port = 80
}

func ExampleLoadRoots() {
	type Stack struct {
		Server string `toml:"server_id" sync:"alias=server"`
		Script string `toml:"script"`
	}
	repository := fstest.MapFS{ // or os.DirFS("."), or the file system of a commit
		"stacks/web.toml": {Data: []byte("[[stack]]\nname = 'web'\nconfig.server = 'prod'\nconfig.script = \"\"\"\nfind {} \\;\ncurl [[URL]]\"\"\"\n")},
		"stacks/old.toml": {Data: []byte("[[stack]]\nname = 'old'\n")},
		"pyproject.toml":  {Data: []byte("[project]\n")},
	}
	declaration, err := manifest.LoadRoots([]manifest.Root{{FS: repository, Path: "stacks"}}, sync.Kinds(sync.Define[Stack]("stack")), &manifest.Options{
		Exclude: []string{"old.toml"},
		Dialect: manifest.Komodo,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range declaration.Desired.Resources {
		fmt.Println(r.Key, string(r.Config))
	}
	for _, reference := range declaration.References {
		fmt.Println(reference.Position, reference.Resource, reference.Path, reference.Name)
	}
	// Output:
	// stack/web {"script":"find {} \\;\ncurl [[URL]]","server_id":"prod"}
	// stacks/web.toml:6:6 stack/web script URL
}

func ExampleInterpolate() {
	variables := func(name string) (string, bool) {
		value, found := map[string]string{"HOST": "db", "DSN": "postgres://app:[[PASSWORD]]@db"}[name]
		return value, found
	}
	secrets := func(name string) (string, bool) { return "hunter2", name == "PASSWORD" }
	fmt.Println(manifest.Interpolate("[[HOST]] [[[HOST]]] [[DSN]] [[PORT]] [[ -f x ]]", variables, secrets))
	// Output:
	// db [[HOST]] postgres://app:hunter2@db [[PORT]] [[ -f x ]] [PORT]
}

func ExampleRender() {
	type Alerter struct {
		Pattern string   `toml:"pattern"`
		Hosts   []string `toml:"hosts"`
	}
	kinds := sync.Kinds(sync.Define[Alerter]("alerter"))
	alerter, err := kinds.Resource("alerter", "disks", Alerter{Pattern: `\^sd[a-z]$\`, Hosts: []string{"a", "b"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	file, err := manifest.Render(&sync.Desired{Resources: []state.Resource{alerter}}, kinds, nil)
	fmt.Print(string(file), err, "\n")
	// Output:
	// [[alerter]]
	// name = "disks"
	// [alerter.config]
	// hosts = ["a", "b"]
	// pattern = '\^sd[a-z]$\'
	// <nil>
}

func ExampleJSONSchema() {
	type Server struct {
		Address string `toml:"address" sync:"required"`
	}
	schema, err := manifest.JSONSchema(sync.Kinds(sync.Define[Server]("server")), nil)
	fmt.Println(strings.Contains(string(schema), `"address"`), err)
	// Output: true <nil>
}
