package manifest

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// loader reads [[kind]] files, one after the other.
type loader struct {
	kinds   *sync.KindSet
	names   map[string]string // of the kinds, singular and plural
	opts    *Options
	decoder decoder
	scratch []byte  // the JSON of the last config
	members []int32 // its members

	// Of the file that is being read:
	doc *Document
	out *declared
}

// declared is what one file declares.
type declared struct {
	resources  []state.Resource
	positions  []sync.Position
	bare       []bareName
	moves      []sync.Move
	references []Reference
	mistakes   Mistakes
	warnings   []sync.Warning
}

// add adds what comes behind.
func (d *declared) add(other *declared) {
	d.resources = append(d.resources, other.resources...)
	d.positions = append(d.positions, other.positions...)
	d.bare = append(d.bare, other.bare...)
	d.references = append(d.references, other.references...)
	d.mistakes.all = append(d.mistakes.all, other.mistakes.all...)
	d.warnings = append(d.warnings, other.warnings...)
}

func (d *declared) grow(n int) {
	d.resources = slices.Grow(d.resources, n)
	d.positions = slices.Grow(d.positions, n)
}

// kindNames returns the names that kinds have in files: their own, and the
// plurals of these.
func kindNames(kinds *sync.KindSet) map[string]string {
	names := map[string]string{}
	own := map[string]string{}
	for _, kind := range kinds.Names() {
		own[kind] = kind
		for _, plural := range plurals(kind) {
			names[plural] = kind
		}
	}
	maps.Copy(names, own)
	return names
}

func (l *loader) load(file source, out *declared) {
	data, err := fs.ReadFile(file.fsys, file.name)
	if err != nil {
		out.mistakes.all = append(out.mistakes.all, unreadable(file.label, err))
		return
	}
	l.out, l.doc = out, l.decoder.read(file.label, data, &out.mistakes)
	for id := range l.doc.tree.members(0) {
		l.kind(id)
	}
}

func unreadable(file string, err error) Mistake {
	why, wrapped := err, (*fs.PathError)(nil)
	if errors.As(err, &wrapped) {
		why = wrapped.Err // the path is said already
	}
	if file == "." {
		return Mistake{Problem: "the directory can't be read: " + why.Error(), Err: err}
	}
	return Mistake{Position: sync.Position{File: file}, Problem: "can't be read: " + why.Error(), Err: err}
}

// kind reads what stands under a top-level key.
func (l *loader) kind(id int32) {
	t := &l.doc.tree
	name := t.nodes[id].name
	kind, known := l.kinds.Kind(l.names[name])
	switch {
	case !known && name != movedName:
		l.unknownKind(id, name)
	case t.nodes[id].form != tables && t.nodes[id].form != list:
		l.want(id, name, "an array of tables", fmt.Sprintf("write [[%s]]", name))
	case !known:
		l.moves(t.elements(id))
	default:
		l.resources(&section{Kind: kind, name: name, flat: slices.Contains(l.opts.Flat, kind.Name)}, t.elements(id))
	}
}

// section is the tables of a kind in a file.
type section struct {
	sync.Kind
	name string // as it is written: the kind's, or its plural
	flat bool
}

// batch is how many resources of a file are worth a goroutine.
const batch = 500

// resources reads the tables of a kind, in parallel if they are many.
func (l *loader) resources(kind *section, elements []int32) {
	batches := make([]declared, (len(elements)+batch-1)/batch)
	if len(batches) == 1 {
		l.batch(kind, elements, 0)
		return
	}
	inParallel(len(batches), func() func(int) {
		worker := loader{kinds: l.kinds, opts: l.opts, doc: l.doc}
		return func(i int) {
			worker.out = &batches[i]
			worker.batch(kind, elements[i*batch:min((i+1)*batch, len(elements))], i*batch)
		}
	})
	l.out.grow(len(elements))
	for i := range batches {
		l.out.add(&batches[i])
	}
}

// batch reads elements of a kind's list, the first of which is its first-th.
func (l *loader) batch(kind *section, elements []int32, first int) {
	l.out.grow(len(elements))
	for i, element := range elements {
		if l.doc.tree.isTable(element) {
			l.resource(kind, element, first+i)
		} else {
			l.want(element, diff.Index(kind.name, first+i), "a table", "")
		}
	}
}
