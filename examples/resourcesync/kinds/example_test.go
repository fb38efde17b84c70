package kinds_test

import (
	"fmt"
	"testing/fstest"

	"github.com/trueup-go/trueup/examples/resourcesync/kinds"
	"github.com/trueup-go/trueup/sync/manifest"
)

// A file is loaded and completed, and a Config read as a struct: with defaults
// filled in, and [[DOMAIN]] as it stands there.
func Example() {
	files := fstest.MapFS{"stacks.toml": {Data: []byte(`
[[stack]]
name = "web"
[stack.config]
server = "web-1"
environment = """
# where it is reached
URL: https://[[DOMAIN]]
"""
`)}}
	desired, err := manifest.Load(files, kinds.Set(kinds.Deployers{}), kinds.Options())
	if err == nil {
		err = kinds.Complete(desired)
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	stack, err := kinds.Decode[kinds.Stack](desired.Resources[0].Config)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(desired.Resources[0].Config))
	fmt.Println(stack.ServerID, stack.Branch, stack.Environment)
	// Output:
	// {"environment":"URL = https://[[DOMAIN]]\n","server_id":"web-1"}
	// web-1 main [{URL https://[[DOMAIN]]}]
}
