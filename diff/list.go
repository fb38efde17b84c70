package diff

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"

	"github.com/trueup-go/trueup/state"
)

// list walks two lists, either of which may be absent. What is the same element
// in both is walked inside; the others are removed or added.
func (w *walker) list(path string, old, desired json.RawMessage, shape *Value) {
	olds, news := elements(old), elements(desired)
	w.pairs(path, olds, news, w.align(olds, news, shape.elem()), shape.elem())
}

// pairs walks the elements of two lists; to is the index in news of each of olds,
// or -1. In a stretch without counterparts the elements are paired as they come:
// they are taken for changed.
func (w *walker) pairs(path string, olds, news [][]byte, to []int, elem *Value) {
	i, j := 0, 0
	for i < len(olds) || j < len(news) {
		iEnd := i
		for iEnd < len(olds) && to[iEnd] < 0 {
			iEnd++
		}
		jEnd := len(news)
		if iEnd < len(olds) {
			jEnd = to[iEnd]
		}
		for i < iEnd || j < jEnd {
			switch {
			case j == jEnd:
				w.element(path, i, olds[i], nil, elem)
				i++
			case i == iEnd:
				w.element(path, j, nil, news[j], elem)
				j++
			default:
				w.element(path, w.indexOfBoth(i, j), olds[i], news[j], elem)
				i, j = i+1, j+1
			}
		}
		if i < len(olds) {
			w.element(path, w.indexOfBoth(i, j), olds[i], news[j], elem)
			i, j = i+1, j+1
		}
	}
}

// indexOfBoth returns the index under which an element is shown that stands in
// both lists: the new one, but of drift the recorded one.
func (w *walker) indexOfBoth(i, j int) int {
	if w.drift {
		return i
	}
	return j
}

func (w *walker) element(path string, i int, old, desired json.RawMessage, elem *Value) {
	if !bytes.Equal(old, desired) && (!w.counting || w.counted < w.limit) {
		w.value(w.index(path, i), old, desired, nil, elem)
	}
}

// align returns the index in news of each of olds, or -1: of objects with a
// member that identifies them the one with the same, of other elements an equal
// one. Where comparing index by index comes to fewer fields, it does that.
func (w *walker) align(olds, news [][]byte, elem *Value) []int {
	straight := make([]int, len(olds))
	for i := range straight {
		if straight[i] = i; i >= len(news) {
			straight[i] = -1
		}
	}
	if w.counting {
		return straight
	}
	// What is changed in one stretch of a long list is not worth looking at the rest.
	head, tail := ends(olds, news)
	ids, newIDs := identities(olds[head:len(olds)-tail], news[head:len(news)-tail], elem)
	to := slices.Clone(straight)
	for i, j := range align(ids, newIDs) {
		if to[head+i] = -1; j >= 0 {
			to[head+i] = head + j
		}
	}
	for i := len(olds) - tail; i < len(olds); i++ {
		to[i] = len(news) - len(olds) + i
	}
	aligned := w.count(olds, news, to, elem, math.MaxInt)
	if w.count(olds, news, straight, elem, aligned) < aligned {
		return straight
	}
	return to
}

// count returns how many fields the lists come to if they are paired like this,
// and lists inside index by index; or, if that is not less than the limit,
// anything that isn't. It is at least as many as there will be; so whoever
// chooses the lower count never has more than index by index.
func (w *walker) count(olds, news [][]byte, to []int, elem *Value, limit int) int {
	counter := walker{drift: w.drift, counting: true, limit: limit}
	counter.pairs("", olds, news, to, elem)
	return counter.counted
}

func elements(list json.RawMessage) [][]byte {
	var all [][]byte
	for element := range state.Elements(list) {
		all = append(all, element)
	}
	return all
}

// identities returns what identifies the elements of two lists: the member "id",
// "key" or "name", if all have it and it stands once in each list, or else the
// elements themselves.
func identities(olds, news [][]byte, elem *Value) (a, b [][]byte) {
	if len(olds) == 0 || len(news) == 0 {
		return olds, news
	}
	for _, name := range [...]string{"id", "key", "name"} {
		if field, _ := elem.member(name); field != nil && field.Sensitive {
			continue
		}
		a, ok := identitiesBy(name, olds)
		if !ok {
			continue
		}
		if b, ok := identitiesBy(name, news); ok {
			return a, b
		}
	}
	return olds, news
}

// identitiesBy returns the values of a member, and whether each element has one
// of its own.
func identitiesBy(name string, list [][]byte) ([][]byte, bool) {
	ids := make([][]byte, 0, len(list))
	for _, element := range list {
		id, ok := step{name: name, index: -1}.in(element)
		if !ok || isFilled(id) || isEmpty(id) {
			return nil, false
		}
		ids = append(ids, id)
	}
	known := make(map[string]bool, len(ids))
	for _, id := range ids {
		known[string(id)] = true
	}
	return ids, len(known) == len(ids)
}
