package manifest

import (
	"fmt"
	"io/fs"
	"path"

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
	return Mistake{Position: sync.Position{File: file}, Problem: "can't be read: " + err.Error(), Err: err}
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
		for i, element := range t.elements(id) {
			if !t.isTable(element) {
				l.want(element, fmt.Sprintf("%s[%d]", name, i), "a table", "")
				continue
			}
			l.resource(&kind, element, i)
		}
	default:
		l.want(id, name, "an array of tables", fmt.Sprintf("write [[%s]]", name))
	}
}
