package manifest

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// loader reads [[kind]] files, one after the other.
type loader struct {
	fsys    fs.FS
	kinds   *sync.KindSet
	dir     string
	decoder decoder
	scratch []byte

	// Of the file that is being read:
	doc *Document
	out *declared
}

// declared is what one file declares.
type declared struct {
	resources []state.Resource
	positions []sync.Position
	mistakes  Mistakes
}

func (l *loader) load(file string, out *declared) {
	name := path.Join(l.dir, file)
	data, err := fs.ReadFile(l.fsys, file)
	if err != nil {
		out.mistakes.all = append(out.mistakes.all, unreadable(name, err))
		return
	}
	l.out, l.doc = out, l.decoder.read(name, data, &out.mistakes)
	t := &l.doc.tree
	for id := t.nodes[0].first; id != 0; id = t.nodes[id].next {
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
	kind, known := l.kinds.Kind(name)
	switch {
	case !known:
		l.unknownKind(id, name)
	case t.nodes[id].form == tables || t.nodes[id].form == list:
		l.resources(&kind, t.elements(id))
	default:
		l.want(id, name, "an array of tables", fmt.Sprintf("write [[%s]]", name))
	}
}

// batch is how many resources of a file are worth a goroutine.
const batch = 500

// resources reads the tables of a kind, in parallel if they are many.
func (l *loader) resources(kind *sync.Kind, elements []int32) {
	batches := make([]declared, (len(elements)+batch-1)/batch)
	if len(batches) == 1 {
		l.batch(kind, elements, 0)
		return
	}
	inParallel(len(batches), func() func(int) {
		worker := loader{kinds: l.kinds, doc: l.doc}
		return func(i int) {
			worker.out = &batches[i]
			worker.batch(kind, elements[i*batch:min((i+1)*batch, len(elements))], i*batch)
		}
	})
	l.out.resources = slices.Grow(l.out.resources, len(elements))
	l.out.positions = slices.Grow(l.out.positions, len(elements))
	for i := range batches {
		l.out.resources = append(l.out.resources, batches[i].resources...)
		l.out.positions = append(l.out.positions, batches[i].positions...)
		l.out.mistakes.all = append(l.out.mistakes.all, batches[i].mistakes.all...)
	}
}

// batch reads elements of a kind's list, the first of which is its first-th.
func (l *loader) batch(kind *sync.Kind, elements []int32, first int) {
	l.out.resources = slices.Grow(l.out.resources, len(elements))
	l.out.positions = slices.Grow(l.out.positions, len(elements))
	for i, element := range elements {
		if l.doc.tree.isTable(element) {
			l.resource(kind, element, first+i)
		} else {
			l.want(element, diff.Index(kind.Name, first+i), "a table", "")
		}
	}
}
