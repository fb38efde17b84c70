package manifest

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// Options are the options of Load. Nil means all defaults.
type Options struct {
	// AllowEmpty takes files that declare nothing. Without it they are an error,
	// since a sync with nothing declared would delete everything.
	AllowEmpty bool
	// Dir is put before the paths of files in positions and errors, so that they
	// can be opened from where the program was started. Defaults to none: paths
	// are relative to the file system's root.
	Dir string
}

// Load reads every file of fsys whose name ends in .toml, in all directories, but
// none whose name begins with a dot, and returns what they declare. In a file, each top-level array of tables is a kind, each of its tables a resource;
// see the package's documentation for the fields. The resources are in order of
// their files' paths, kinds of a file in order of their first table.
//
// Files are read and decoded by GOMAXPROCS goroutines, which have ended when
// Load returns; fsys must be safe for concurrent use, as those of the standard
// library are. Kinds may be nil, and then nothing can be declared.
//
// The error is that of the kinds' definitions, or wraps sync.ErrEmptyDeclaration,
// or is a *multierror.Error of Mistakes: all there are in all the files. A
// mistake about a kind wraps sync.ErrUnknownKind, one about a file that can't be
// read the file system's error. Names in "after" that nothing bears, and cycles,
// are left to the plan, which knows what else there is.
func Load(fsys fs.FS, kinds *sync.KindSet, opts *Options) (*sync.Desired, error) {
	if err := kinds.Err(); err != nil {
		return nil, err
	}
	if opts == nil {
		opts = &Options{}
	}
	var m Mistakes
	files := find(fsys, opts.Dir, &m)
	parts := make([]declared, len(files))
	inParallel(len(files), func() func(int) {
		l := loader{fsys: fsys, kinds: kinds, dir: opts.Dir}
		return func(i int) { l.load(files[i], &parts[i]) }
	})
	desired := merge(parts, &m)
	if err := m.Err(); err != nil {
		return nil, err
	}
	if len(desired.Resources) == 0 && !opts.AllowEmpty {
		return nil, fmt.Errorf("%w: %d TOML files and no resource in them", sync.ErrEmptyDeclaration, len(files))
	}
	return desired, nil
}

// find returns the paths of all files to read, in order.
func find(fsys fs.FS, dir string, m *Mistakes) []string {
	var files []string
	// The error is nil: the function below keeps what it gets.
	_ = fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		hidden := name != "." && strings.HasPrefix(path.Base(name), ".")
		switch {
		case err != nil:
			m.all = append(m.all, unreadable(path.Join(dir, name), err))
		case entry.IsDir() && hidden:
			return fs.SkipDir
		case entry.IsDir() || hidden || !strings.HasSuffix(name, ".toml"):
		case entry.Type() != 0 && entry.Type() != fs.ModeSymlink:
			m.Add(sync.Position{File: path.Join(dir, name)}, "want a regular file, found "+entry.Type().String(), "")
		default:
			files = append(files, name)
		}
		return nil
	})
	slices.Sort(files)
	return files
}

// merge puts together what the files declare.
func merge(parts []declared, m *Mistakes) *sync.Desired {
	n := 0
	for i := range parts {
		n += len(parts[i].resources)
	}
	desired := &sync.Desired{
		Resources: make([]state.Resource, 0, n),
		Positions: make(map[state.Key]sync.Position, n),
	}
	for i := range parts {
		part := &parts[i]
		m.all = append(m.all, part.mistakes.all...)
		for j := range part.resources {
			key := part.resources[j].Key
			if first, twice := desired.Positions[key]; twice {
				m.Add(part.positions[j], fmt.Sprintf("%s is declared twice", key), fmt.Sprintf("the first is at %s", first))
				continue
			}
			desired.Positions[key] = part.positions[j]
			desired.Resources = append(desired.Resources, part.resources[j])
		}
	}
	return desired
}
