package appsync

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// gather puts together what came of the units, and returns the drafts in key
// order, each key once.
func (l *loader) gather(units []unit, outcomes []outcome) []*draft {
	var drafts []*draft
	filled := map[string][]file{} // by kind
	for i := range outcomes {
		kind, o := units[i].def.kind.Name, &outcomes[i]
		if l.isBase(o) {
			continue
		}
		l.mistakes.AddErr(o.mistakes.Err())
		l.warnings = append(l.warnings, o.warnings...)
		filled[kind] = append(filled[kind], o.filled...)
		if o.broken {
			l.unread[kind] = append(l.unread[kind], units[i].files[0].path)
		}
		for _, d := range o.drafts {
			switch {
			case d.resource.Name != "":
				drafts = append(drafts, d)
			case !o.broken:
				l.mistakes.Add(d.position, fmt.Sprintf("a %s without a name", kind), fmt.Sprintf("write name = %q", stem(d.path)))
			}
		}
	}
	for kind, files := range filled {
		l.conflict(l.definitions[kind], files)
	}
	return l.distinct(drafts)
}

// isBase tells whether a unit is a file that others name as their source and
// that has no name: it declares nothing by itself.
func (l *loader) isBase(o *outcome) bool {
	return len(o.drafts) == 1 && o.drafts[0].nameless && l.reader.wasNamed(o.drafts[0].path)
}

// conflict reports a file and a folder that declare the same.
func (l *loader) conflict(d *definition, files []file) {
	top := slices.IndexFunc(files, func(f file) bool { return f.path == f.place.name+ext })
	inFolder := slices.IndexFunc(files, func(f file) bool { return f.path != f.place.name+ext })
	switch {
	case inFolder < 0:
	case top >= 0:
		l.mistakes.Add(l.begin(files[top].path),
			fmt.Sprintf("this file and %s can't both declare something", l.label(files[inFolder].path)), "keep the file or the folder")
	case d.single && files[0].holds == holdsResource && len(files) > 1:
		l.mistakes.Add(l.begin(files[1].path), fmt.Sprintf("%s is declared twice", d.kind.Name), "the first is at "+l.label(files[0].path))
	}
}

// begin returns the position of a file's first byte.
func (l *loader) begin(name string) sync.Position {
	return sync.Position{File: l.label(name), Line: 1, Col: 1}
}

// distinct returns the drafts in key order. Those of the same name are reported;
// a name that was derived gives way.
func (l *loader) distinct(drafts []*draft) []*draft {
	slices.SortStableFunc(drafts, func(a, b *draft) int { return btoi(a.derived) - btoi(b.derived) })
	seen := make(map[state.Key]*draft, len(drafts))
	kept := drafts[:0]
	for _, d := range drafts {
		if d.derived {
			d.resource.Name = free(d.resource.Key, d.resource.Type, seen)
		}
		if first, twice := seen[d.resource.Key]; twice {
			l.mistakes.Add(d.position, fmt.Sprintf("%s is declared twice", d.resource.Key), fmt.Sprintf("the first is at %s", first.position))
			continue
		}
		seen[d.resource.Key] = d
		kept = append(kept, d)
	}
	slices.SortFunc(kept, func(a, b *draft) int { return a.resource.Compare(b.resource.Key) })
	return kept
}

// free returns a name like that of the key which nothing has yet.
func free(key state.Key, typ string, seen map[state.Key]*draft) string {
	base := key.Name
	for n := 1; seen[key] != nil; n++ {
		key.Name = base + "-" + typ
		if n > 1 {
			key.Name += "-" + strconv.Itoa(n)
		}
	}
	return key.Name
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
