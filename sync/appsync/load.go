package appsync

import (
	"cmp"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/manifest"
)

// Config is an app's config: what it declares, and what a Syncer has to know
// beside.
type Config struct {
	// Desired is what is declared, in key order, with positions and warnings.
	Desired *sync.Desired
	// Builds tells of the builds that the host makes. Nil: there are none, so
	// that no build has failed.
	Builds Builds
	// Options are how a Syncer plans. By is the context's account, Records is
	// always set, and OnFailure defaults to sync.KeepGoing. May be nil.
	Options *sync.PlanOptions
}

// LoadOptions are the options of Load. Nil means all defaults.
type LoadOptions struct {
	// Dir is put before the paths of files in positions and errors, so that they
	// can be opened from where the program was started. Defaults to none: paths
	// are relative to the config directory.
	Dir string
	// Revision names the version that is loaded, such as a commit. It becomes
	// Desired.Revision. May be empty.
	Revision string
}

// Load reads an app's config directory; the package's documentation says what
// may be in it. Nothing outside of fsys is read, nor what a symbolic link inside
// leads to outside of it; the file system of an os.Root can't be tricked even
// while it is read. Files are read by GOMAXPROCS goroutines, which have ended
// when Load returns; fsys must be safe for concurrent use, as those of the
// standard library are. What is returned doesn't depend on their order.
//
// The error is a *multierror.Error of manifest.Mistakes, one for everything that
// is wrong in any of the files.
func Load(fsys fs.FS, opts *LoadOptions) (*Config, error) {
	l := newLoader(fsys, opts)
	found := l.scan()
	units := l.units(found.files)
	outcomes := make([]outcome, len(units))
	inParallel(len(units), func(i int) {
		b := builder{loader: l, unit: &units[i], outcome: &outcomes[i]}
		b.build()
	})
	drafts := l.gather(units, outcomes)
	found.unclaimed()
	l.connect(drafts)
	if l.mistakes.Len() == 0 {
		l.conceal(drafts)
	}
	if err := l.mistakes.Err(); err != nil {
		return nil, err
	}
	return l.config(drafts), nil
}

// loader is one run of Load. Units are declared in parallel; what they share is
// not changed meanwhile, but for the reader.
type loader struct {
	reader      *reader
	opts        LoadOptions
	places      []place
	definitions map[string]*definition
	fieldTypes  map[string][]string

	mistakes manifest.Mistakes
	warnings []sync.Warning
	// unread are the files, by kind, that couldn't be read in whole.
	unread map[string][]string
}

func newLoader(fsys fs.FS, opts *LoadOptions) *loader {
	l := &loader{
		reader: newReader(fsys), places: places(), definitions: definitions(),
		fieldTypes: fieldTypes(), unread: map[string][]string{},
	}
	if opts != nil {
		l.opts = *opts
	}
	return l
}

// place returns the row of that name, or nil.
func (l *loader) place(name string) *place {
	i, found := slices.BinarySearchFunc(l.places, name, func(p place, name string) int { return strings.Compare(p.name, name) })
	if !found {
		return nil
	}
	return &l.places[i]
}

// at returns the position of a file as a whole.
func (l *loader) at(name string) sync.Position { return sync.Position{File: l.label(name)} }

// label returns a file's path as it stands in positions.
func (l *loader) label(name string) string { return path.Join(l.opts.Dir, name) }

// config returns what was loaded without a mistake.
func (l *loader) config(drafts []*draft) *Config {
	desired := &sync.Desired{Revision: l.opts.Revision, Positions: make(map[state.Key]sync.Position, len(drafts))}
	for _, d := range drafts {
		desired.Resources = append(desired.Resources, d.resource)
		desired.Positions[d.resource.Key] = d.position
	}
	slices.SortFunc(l.warnings, func(a, b sync.Warning) int {
		return cmp.Or(a.Compare(b.Position), cmp.Compare(a.Text, b.Text))
	})
	desired.Warnings = l.warnings
	return &Config{Desired: desired}
}
