package manifest_test

import (
	"fmt"
	"testing/fstest"

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
