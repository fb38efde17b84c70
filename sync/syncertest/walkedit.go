package syncertest

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// secretMark is in every sensitive value of a walk.
const secretMark = "hush-hush"

// maxWants is how many resources a walk declares at most.
const maxWants = 14

// edit changes the declaration in a few places.
func (w *walk) edit(r *rand.Rand) error {
	for range 1 + r.IntN(4) {
		if len(w.wants) < 4 || len(w.wants) < maxWants && r.IntN(4) == 0 {
			w.add(r)
		} else {
			w.change(r)
		}
	}
	return nil
}

// pick returns one of a list, and whether there is any.
func pick[T any](r *rand.Rand, list []T) (one T, ok bool) {
	if len(list) == 0 {
		return one, false
	}
	return list[r.IntN(len(list))], true
}

// add declares a resource: one of a new name, or one that was declared before and
// may be an orphan, forgotten, or lying about.
func (w *walk) add(r *rand.Rand) {
	k, _ := pick(r, pieceKinds())
	key := state.Key{Kind: k.name, Name: fmt.Sprintf("n%d", r.IntN(4))}
	if _, there := w.wants[key]; there {
		w.names++
		key.Name = fmt.Sprintf("x%d", w.names)
	}
	w.moves = slices.DeleteFunc(w.moves, func(m tusync.Move) bool { return m.From == key })
	one := &want{piece: piece{Range: fmt.Sprint("range", r.IntN(3)), Size: 1 + r.IntN(3)}}
	w.wants[key] = one
	w.relink(r, key, one)
	one.Deploy = k.deploys && r.IntN(3) > 0
	if r.IntN(2) == 0 {
		one.Token = fmt.Sprint(secretMark, r.IntN(3))
	}
	if r.IntN(4) == 0 {
		one.Hint = fmt.Sprint("hint", r.IntN(3))
	}
	if r.IntN(3) == 0 {
		one.Tags = []string{fmt.Sprint("tag", r.IntN(3))}
	}
	w.note("  add %s %s", key, one)
}

// relink makes a resource refer to others.
func (w *walk) relink(r *rand.Rand, key state.Key, one *want) {
	k := pieceKindOf(key.Kind)
	name := func(kind string) string {
		var names []string
		for _, to := range w.wants.keys() {
			if to.Kind == kind && to != key && !w.reaches(to, key) {
				names = append(names, to.Name)
			}
		}
		one, ok := pick(r, names)
		if !ok || r.IntN(5) == 0 {
			return ""
		}
		return one
	}
	switch r.IntN(3) {
	case 0:
		one.Link = name(k.link)
	case 1:
		one.Base = name(k.base)
	default:
		one.Link, one.Base = name(k.link), name(k.base)
	}
}

// reaches tells whether one key depends on another.
func (w *walk) reaches(from, to state.Key) bool {
	return from == to || slices.Contains(w.wants.dependencies()[from], to)
}

// change changes what is declared.
func (w *walk) change(r *rand.Rand) {
	keys := w.wants.keys()
	key, _ := pick(r, keys)
	one := w.wants[key]
	switch r.IntN(14) {
	case 0, 1, 2:
		one.Size = 1 + r.IntN(4)
	case 3, 4:
		one.Range = fmt.Sprint("range", r.IntN(3))
	case 5:
		one.Token = fmt.Sprint(secretMark, r.IntN(3))
	case 6:
		one.Hint = fmt.Sprint("hint", r.IntN(3))
	case 7, 8:
		w.relink(r, key, one)
	case 9:
		if to, _ := pick(r, keys); len(one.After) > 0 || w.reaches(to, key) {
			one.After = nil
		} else {
			one.After = []state.Key{to}
		}
	case 10:
		one.Protected = !one.Protected && r.IntN(3) == 0
	case 11:
		one.Deploy = pieceKindOf(key.Kind).deploys && !one.Deploy
	case 12:
		w.names++
		to := state.Key{Kind: key.Kind, Name: fmt.Sprintf("m%d", w.names)}
		w.wants.rename(key, to)
		for i := range w.moves {
			if w.moves[i].To == key {
				w.moves[i].To = to
			}
		}
		w.moves = append(w.moves, tusync.Move{From: key, To: to})
		w.note("  rename %s to %s", key, to)
		return
	default:
		w.wants.remove(key)
		w.moves = slices.DeleteFunc(w.moves, func(m tusync.Move) bool { return m.To == key })
		w.note("  remove %s", key)
		return
	}
	w.note("  change %s %s", key, one)
}
