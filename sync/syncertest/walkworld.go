package syncertest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// forget drops the record of something that isn't declared.
func (w *walk) forget(r *rand.Rand) error {
	before, err := w.look(w.t.Context())
	if err != nil {
		return err
	}
	var gone []state.Key
	for _, record := range before.list {
		if _, declared := w.wants[record.Key]; !declared && !slices.ContainsFunc(w.moves, func(m tusync.Move) bool { return m.From == record.Key }) {
			gone = append(gone, record.Key)
		}
	}
	key, ok := pick(r, gone)
	if !ok {
		return nil
	}
	p, err := w.process(r)
	if err != nil {
		return err
	}
	a := &attempt{wants: w.wants, moves: w.moves, opts: &tusync.PlanOptions{Forget: []state.Key{key}, Prune: r.IntN(4) == 0, AllowEmpty: true}, calm: r.IntN(3) > 0}
	if !a.calm {
		w.trouble(r, p)
	}
	return w.attempt(p, a)
}

// drift changes something behind the engine's back: it edits a thing, removes one,
// or puts one where nobody has declared it yet.
func (w *walk) drift(r *rand.Rand) error {
	if r.IntN(3) == 0 {
		k, _ := pick(r, pieceKinds())
		return w.plant(k, state.Key{Kind: k.name, Name: fmt.Sprintf("n%d", r.IntN(4))})
	}
	world := NewWorld(w.things())
	things, err := world.Things()
	if err != nil {
		return err
	}
	thing, ok := pick(r, things)
	if !ok || w.unowned[thing.ID] {
		return nil
	}
	if r.IntN(2) == 0 {
		w.removed[thing.ID] = true
		w.note("  remove the thing %s of %s", thing.ID, thing.Key)
		return world.Remove(thing.ID)
	}
	var config map[string]any
	if err := json.Unmarshal(thing.Config, &config); err != nil {
		return err
	}
	config["size"] = 77
	if r.IntN(3) == 0 {
		config["range"] = "range77"
	}
	w.edited[thing.ID] = true
	w.note("  edit the thing %s of %s", thing.ID, thing.Key)
	if thing.Config, err = json.Marshal(config); err != nil {
		return err
	}
	return world.Put(thing)
}

// plant puts a thing into the world that nobody has made, if its kind finds it and
// there is none.
func (w *walk) plant(k pieceKind, key state.Key) error {
	now, err := w.look(w.t.Context())
	if err != nil {
		return err
	}
	for _, thing := range now.things {
		if thing.Key == key.String() {
			return nil
		}
	}
	if _, recorded := now.records[key]; recorded || !k.finds {
		return nil
	}
	w.names++
	thing := WorldThing{ID: fmt.Sprint("planted-", w.names), Key: key.String(), Config: json.RawMessage(`{"range":"range0","size":9}`)}
	w.unowned[thing.ID] = true
	w.note("  plant %s as %s", key, thing.ID)
	return NewWorld(w.things()).Put(thing)
}

// resolve does what somebody has to do about creates that nobody knows the end of:
// adopt what is there; where nothing is, take it out of the declaration and forget
// it.
func (w *walk) resolve(r *rand.Rand) error {
	before, err := w.look(w.t.Context())
	if err != nil {
		return err
	}
	a := &attempt{wants: w.wants, moves: w.moves, opts: &tusync.PlanOptions{Adopt: map[state.Key]string{}}, calm: true}
	for _, record := range before.list {
		if !isUncertain(&record) {
			continue
		}
		_, declared := w.wants[record.Key]
		thing := before.unnamed(record.Key, w.unowned)
		switch {
		case thing != "" && declared:
			a.opts.Adopt[record.Key] = thing
		case thing == "":
			w.wants.remove(record.Key)
			w.moves = slices.DeleteFunc(w.moves, func(m tusync.Move) bool { return m.To == record.Key || m.From == record.Key })
			a.opts.Forget = append(a.opts.Forget, record.Key)
		}
	}
	if len(a.opts.Adopt)+len(a.opts.Forget) == 0 {
		return nil
	}
	p, err := w.process(r)
	if err != nil {
		return err
	}
	return w.attempt(p, a)
}

// isUncertain tells whether nobody can know what became of a create.
func isUncertain(record *state.Record) bool {
	return record.Kind == "cert" && isInterrupted(record)
}
