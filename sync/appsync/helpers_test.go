package appsync_test

import (
	"testing/fstest"
)

// app returns the smallest app there is, with files added to it. A file that is
// empty is left out.
func app(files map[string]string) fstest.MapFS {
	dir := fstest.MapFS{
		"metadata.toml": &fstest.MapFile{Data: []byte("version = \"v2\"\n")},
		"sandbox.toml":  &fstest.MapFile{Data: []byte("terraform_version = \"1.11.3\"\n")},
		"runner.toml":   &fstest.MapFile{Data: []byte("runner_type = \"aws\"\n")},
	}
	for name, text := range files {
		if text == "" {
			delete(dir, name)
			continue
		}
		dir[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return dir
}

// component is the smallest component, a.
const component = "name = 'a'\ntype = 'terraform_module'\n"
