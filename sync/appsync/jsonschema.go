package appsync

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/sync/manifest"
)

// JSONSchema returns the JSON Schema (2020-12) of the file at a path of a config
// directory, "components/api.toml" or "sandbox.toml", for editors. It takes whatever
// Load takes there; what else has to hold is left to Load. The error wraps
// fs.ErrNotExist if no such file would be read.
func JSONSchema(name string) ([]byte, error) {
	folder, file := path.Split(path.Clean(name))
	top := strings.TrimSuffix(file, ext)
	if folder != "" {
		top, _, _ = strings.Cut(folder, "/")
	}
	all := places()
	at := slices.IndexFunc(all, func(p place) bool { return p.name == top })
	if at < 0 || path.Ext(file) != ext {
		return nil, fmt.Errorf("%s is no file of a config directory: %w", name, fs.ErrNotExist)
	}
	p, def := &all[at], definitions()[all[at].kind]
	holds := p.file
	if folder != "" {
		holds = p.folder
	}
	switch holds {
	case holdsResource:
		return manifest.TableJSONSchema(withSource(def.form), def.lenient)
	case holdsItems:
		return manifest.TableJSONSchema(p.schema, false)
	case holdsElement:
		return manifest.TableJSONSchema(def.form.Field(p.list).Elem.Object, false)
	}
	return nil, fmt.Errorf("%s is no file of a config directory: %w", name, fs.ErrNotExist)
}

// withSource returns the schema of a file that may name others, where the fields are
// that it lacks: none is required of it.
func withSource(form *diff.Schema) *diff.Schema {
	if form.Field("source") == nil {
		return form
	}
	own := *form
	own.Fields = slices.Clone(form.Fields)
	for i := range own.Fields {
		own.Fields[i].Required = false
	}
	return &own
}
