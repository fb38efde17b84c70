package syncertest

import (
	"fmt"
	"maps"
	"slices"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// want is a declared piece.
type want struct {
	piece
	After     []state.Key
	Tags      []string
	Protected bool
	Deploy    bool
}

// String tells of a declared piece on a line.
func (w *want) String() string {
	return fmt.Sprintf("%s/%d link=%s base=%s token=%s after=%v tags=%v protected=%t deploy=%t", w.Range, w.Size, w.Link, w.Base, w.Token, w.After, w.Tags, w.Protected, w.Deploy)
}

// wants is a declaration.
type wants map[state.Key]*want

// clone returns a copy that shares nothing.
func (ws wants) clone() wants {
	own := wants{}
	for key, w := range ws {
		copied := *w
		copied.After, copied.Tags = slices.Clone(w.After), slices.Clone(w.Tags)
		own[key] = &copied
	}
	return own
}

// keys returns the keys in order.
func (ws wants) keys() []state.Key { return slices.SortedFunc(maps.Keys(ws), state.Key.Compare) }

// resources returns the declaration as the engine takes it.
func (ws wants) resources(kinds *tusync.KindSet) ([]state.Resource, error) {
	var all []state.Resource
	for _, key := range ws.keys() {
		w := ws[key]
		r, err := kinds.Resource(key.Kind, key.Name, w.piece)
		if err != nil {
			return nil, err
		}
		r.After, r.Tags, r.Protected, r.Deploy = w.After, w.Tags, w.Protected, w.Deploy
		all = append(all, r)
	}
	return all, nil
}

// links returns the keys that Link and Base name, zero where they name none.
func (w *want) links(key state.Key) (link, base state.Key) {
	k := pieceKindOf(key.Kind)
	if w.Link != "" && k.link != "" {
		link = state.Key{Kind: k.link, Name: w.Link}
	}
	if w.Base != "" && k.base != "" {
		base = state.Key{Kind: k.base, Name: w.Base}
	}
	return link, base
}

// edges returns what a key depends on.
func (ws wants) edges(key state.Key) []state.Key {
	w := ws[key]
	link, base := w.links(key)
	edges := slices.Clone(w.After)
	for _, to := range []state.Key{link, base} {
		if !to.IsZero() {
			edges = append(edges, to)
		}
	}
	return edges
}

// closure returns all that is below each key, at whatever depth.
func closure(edges map[state.Key][]state.Key) map[state.Key][]state.Key {
	below := map[state.Key][]state.Key{}
	for key := range edges {
		seen := map[state.Key]bool{}
		open := slices.Clone(edges[key])
		for len(open) > 0 {
			to := open[0]
			open = open[1:]
			if !seen[to] {
				seen[to] = true
				open = append(open, edges[to]...)
			}
		}
		delete(seen, key)
		below[key] = slices.SortedFunc(maps.Keys(seen), state.Key.Compare)
	}
	return below
}

// dependencies returns all that each declared key depends on.
func (ws wants) dependencies() map[state.Key][]state.Key {
	edges := map[state.Key][]state.Key{}
	for key := range ws {
		edges[key] = ws.edges(key)
	}
	return closure(edges)
}

// dependents returns what depends on each recorded key.
func dependents(records map[state.Key]state.Record) map[state.Key][]state.Key {
	above := map[state.Key][]state.Key{}
	for key, r := range records {
		for _, to := range r.After {
			above[to] = append(above[to], key)
		}
	}
	return above
}

// remove takes a key out of the declaration, and out of all that names it.
func (ws wants) remove(key state.Key) {
	delete(ws, key)
	ws.point(key, state.Key{})
}

// rename gives a key another name, and tells all that name it.
func (ws wants) rename(from, to state.Key) {
	ws[to] = ws[from]
	delete(ws, from)
	ws.point(from, to)
}

// point makes everything that names a key name another, or none.
func (ws wants) point(from, to state.Key) {
	for key, w := range ws {
		link, base := w.links(key)
		if link == from {
			w.Link = to.Name
		}
		if base == from {
			w.Base = to.Name
		}
		w.After = slices.DeleteFunc(w.After, func(k state.Key) bool { return k == from && to.IsZero() })
		for i := range w.After {
			if w.After[i] == from {
				w.After[i] = to
			}
		}
	}
}
