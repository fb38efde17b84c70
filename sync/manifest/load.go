package manifest

import (
	"fmt"
	"io/fs"
	"slices"

	"github.com/trueup-go/trueup/sync"
)

// Options are the options of Load and LoadRoots. Nil means all defaults.
type Options struct {
	// AllowEmpty takes files that declare nothing. Without it they are an error,
	// since a sync with nothing declared would delete everything.
	AllowEmpty bool
	// Dir is put before the paths of files in positions and errors, so that they
	// can be opened from where the program was started. Defaults to none: paths
	// are relative to the file system's root. For LoadRoots it is each Root's.
	Dir string
	// Include and Exclude are patterns of the paths of files in a root: those of a
	// directory are read if they match one of Include, where there are any, and none
	// of Exclude, which is for directories too. Patterns are as in path.Match; "**"
	// stands for any number of directories, and one without a slash is for the last
	// name of a path. Default to all files, and none.
	Include, Exclude []string
	// Dialect is how the files write text. Defaults to TOML.
	Dialect Dialect
	// Lenient makes warnings of kinds and fields that nobody knows, and leaves them
	// out, instead of mistakes.
	Lenient bool
	// Flat are the kinds whose fields stand beside the name of a resource, and not
	// below its config.
	Flat []string
	// Beside are the names of fields that do so in whichever kind has them.
	Beside []string
	// Kinds are those that are wanted: resources of others are checked, and left
	// out. Defaults to all.
	Kinds []string
	// MatchTags leaves out resources that don't have all of these tags, but not those
	// of Flat kinds.
	MatchTags []string
}

// validate returns what is wrong with the options, or nil.
func (o *Options) validate(kinds *sync.KindSet) error {
	for _, name := range slices.Concat(o.Flat, o.Kinds) {
		if _, known := kinds.Kind(name); !known {
			return fmt.Errorf("the options of a load: %w %q", sync.ErrUnknownKind, name)
		}
	}
	for _, pattern := range slices.Concat(o.Include, o.Exclude) {
		if !isPattern(pattern) {
			return fmt.Errorf("the options of a load: %q is not a pattern", pattern)
		}
	}
	if o.Dialect != TOML && o.Dialect != Komodo {
		return fmt.Errorf("the options of a load: the unknown dialect %d", o.Dialect)
	}
	return nil
}

// Root is where files are read: a directory with all that is in it, or one file.
type Root struct {
	// FS is the file system. It must be safe for concurrent use, as those of the
	// standard library are. Symbolic links are followed if it is an fs.ReadLinkFS,
	// but not to anywhere outside of it.
	FS fs.FS
	// Path is that of the directory or file in FS, with slashes. Empty is all of FS.
	Path string
	// Dir is put before the paths of files in positions and errors. Files of several
	// roots with the same path then are the same file.
	Dir string
}

// Declaration is what was loaded.
type Declaration struct {
	// Desired is what is declared, with positions and warnings.
	Desired *sync.Desired
	// References are the [[NAME]] in the texts of the configs, in order of their
	// positions.
	References []Reference
	// Files are the paths of the files that were read, in order.
	Files []string
}

// Load is LoadRoots with all of a file system as the only root.
func Load(fsys fs.FS, kinds *sync.KindSet, opts *Options) (*sync.Desired, error) {
	root := Root{FS: fsys}
	if opts != nil {
		root.Dir = opts.Dir
	}
	declaration, err := LoadRoots([]Root{root}, kinds, opts)
	if err != nil {
		return nil, err
	}
	return declaration.Desired, nil
}

// LoadRoots reads every file whose name ends in .toml in the roots, in all
// directories, but none whose name begins with a dot, and returns what they
// declare. In a file, each top-level array of tables is a kind, by its name or the
// plural of it, each of its tables a resource; see the package's documentation for
// the fields. A file is read once, even if several roots or symbolic links lead to
// it. The resources are in order of the roots, in each in order of their files'
// paths, kinds of a file in order of their first table.
//
// Files are read and decoded by GOMAXPROCS goroutines, which have ended when it
// returns. Kinds may be nil, and then nothing can be declared.
//
// The error is that of the kinds' definitions or of the options, or wraps
// sync.ErrEmptyDeclaration, or is a *multierror.Error of Mistakes: all there are
// in all the files. A mistake about a kind wraps sync.ErrUnknownKind, one about a
// file that can't be read the file system's error. Names in "after" that nothing
// bears, and cycles, are left to the plan, which knows what else there is.
func LoadRoots(roots []Root, kinds *sync.KindSet, opts *Options) (*Declaration, error) {
	if err := kinds.Err(); err != nil {
		return nil, err
	}
	if opts == nil {
		opts = &Options{}
	}
	if err := opts.validate(kinds); err != nil {
		return nil, err
	}
	var m Mistakes
	files := find(roots, opts, &m)
	parts := make([]declared, len(files))
	names := kindNames(kinds)
	inParallel(len(files), func() func(int) {
		l := loader{kinds: kinds, names: names, opts: opts, decoder: decoder{dialect: opts.Dialect}}
		return func(i int) { l.load(files[i], &parts[i]) }
	})
	merged := merge(parts, kinds, opts, &m)
	if err := m.Err(); err != nil {
		return nil, err
	}
	if len(merged.Desired.Resources) == 0 && !opts.AllowEmpty {
		return nil, fmt.Errorf("%w: %d TOML files and no resource in them that is wanted", sync.ErrEmptyDeclaration, len(files))
	}
	for _, file := range files {
		merged.Files = append(merged.Files, file.label)
	}
	return merged, nil
}
