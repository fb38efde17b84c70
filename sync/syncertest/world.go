package syncertest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// World is an outside world for Handlers: a directory, in which a thing is a file
// whose name is its ID. It is real: it outlives a killed process, anybody can edit
// it, and nothing but what is in it is known. It is safe for concurrent use, also
// by several processes.
type World struct {
	dir string
	// Hook is called before each change is carried out and, with done set, after
	// it, before the Handler returns. An error is the change's outcome; after a
	// create the ID is lost with it. Nil means nothing. It must be safe for
	// concurrent use.
	Hook func(change diff.Change, done bool) error
}

// WorldThing is a thing in a World.
type WorldThing struct {
	// ID is its identity, Key what its maker calls it.
	ID  string `json:"-"`
	Key string `json:"key"`
	// Config is what it is like, in the clear.
	Config json.RawMessage `json:"config"`
}

// NewWorld returns the world that is in a directory, which must exist.
func NewWorld(dir string) *World { return &World{dir: dir} }

// Things returns what there is, in the order of the IDs.
func (w *World) Things() ([]WorldThing, error) {
	files, err := os.ReadDir(w.dir)
	if err != nil {
		return nil, err
	}
	var things []WorldThing
	for _, file := range files {
		if strings.HasPrefix(file.Name(), ".") {
			continue // not whole yet
		}
		thing, err := w.thing(file.Name())
		switch {
		case errors.Is(err, fs.ErrNotExist): // it is gone since
		case err != nil:
			return nil, err
		default:
			things = append(things, thing)
		}
	}
	return things, nil
}

func (w *World) thing(id string) (WorldThing, error) {
	text, err := os.ReadFile(filepath.Join(w.dir, id))
	if err != nil {
		return WorldThing{}, err
	}
	thing := WorldThing{ID: id}
	return thing, json.Unmarshal(text, &thing)
}

// Put makes a thing what it should be, all at once.
func (w *World) Put(thing WorldThing) error {
	text, err := json.Marshal(thing)
	if err != nil {
		return err
	}
	return writeWhole(w.dir, thing.ID, text)
}

// writeWhole makes text the content of a file, all at once: a process that is killed
// leaves nothing half.
func writeWhole(dir, name string, text []byte) error {
	f, err := os.CreateTemp(dir, ".new-")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(dir, name))
}

// Remove removes a thing. One that isn't there is no error.
func (w *World) Remove(id string) error {
	err := os.Remove(filepath.Join(w.dir, id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Handler returns a Handler whose things are the world's files and that has no
// other abilities: an interrupted create is uncertain.
func (w *World) Handler() tusync.Handler { return worldHandler{w} }

// Idempotent returns a Handler for which the proposed ID is the thing's.
func (w *World) Idempotent() tusync.Handler { return idempotentWorld{worldHandler{w}} }

// Finding returns a Handler that is a tusync.Finder and tusync.Observer: it finds
// a thing by the key that is written in it, but not the one that is replaced, and
// gives each an ID of its own.
func (w *World) Finding() tusync.Handler { return findingWorld{worldHandler{w}} }

// worldHandler chooses an ID for each thing that nobody could know before.
type worldHandler struct{ world *World }

// Apply implements tusync.Handler.
func (h worldHandler) Apply(ctx context.Context, changes []diff.Change) []tusync.Outcome {
	return h.world.apply(ctx, changes, func(*diff.Create) string { return "thing-" + rand.Text() })
}

func (w *World) apply(ctx context.Context, changes []diff.Change, choose func(*diff.Create) string) []tusync.Outcome {
	outcomes := make([]tusync.Outcome, len(changes))
	for i, change := range changes {
		outcomes[i] = w.carryOut(ctx, change, choose)
	}
	return outcomes
}

func (w *World) carryOut(ctx context.Context, change diff.Change, choose func(*diff.Create) string) (outcome tusync.Outcome) {
	if outcome.Err = ctx.Err(); outcome.Err == nil && w.Hook != nil {
		outcome.Err = w.Hook(change, false)
	}
	if outcome.Err != nil {
		return outcome
	}
	switch c := change.(type) {
	case *diff.Create:
		outcome.ID = choose(c)
		outcome.Err = w.Put(WorldThing{ID: outcome.ID, Key: c.Desired.String(), Config: c.Config})
	case *diff.Update:
		outcome.Err = w.Put(WorldThing{ID: c.Recorded.ID, Key: c.Desired.String(), Config: c.Config})
	case *diff.Delete:
		outcome.Err = w.Remove(c.Recorded.ID)
	default:
		outcome.Err = fmt.Errorf("a Handler is not to be given a %T", change)
	}
	if outcome.Err == nil && w.Hook != nil {
		outcome.Err = w.Hook(change, true)
	}
	if outcome.Err != nil {
		outcome.ID = ""
	}
	return outcome
}

// idempotentWorld uses the proposed IDs.
type idempotentWorld struct{ worldHandler }

// Idempotent implements tusync.Idempotent.
func (idempotentWorld) Idempotent() bool { return true }

// Apply implements tusync.Handler.
func (h idempotentWorld) Apply(ctx context.Context, changes []diff.Change) []tusync.Outcome {
	return h.world.apply(ctx, changes, func(c *diff.Create) string { return c.ID })
}

// Observe implements tusync.Observer.
func (h idempotentWorld) Observe(_ context.Context, records []state.Record) []tusync.Live {
	return h.world.observe(records)
}

// findingWorld finds things by their keys.
type findingWorld struct{ worldHandler }

// Find implements tusync.Finder.
func (h findingWorld) Find(_ context.Context, creates []*diff.Create) []tusync.Live {
	lives := make([]tusync.Live, len(creates))
	things, err := h.world.Things()
	for i, create := range creates {
		lives[i].Err = err
		at := slices.IndexFunc(things, func(t WorldThing) bool {
			isOld := create.Replaces && create.Recorded != nil && create.Recorded.ID == t.ID
			return t.Key == create.Desired.String() && !isOld
		})
		if at >= 0 {
			lives[i] = tusync.Live{ID: things[at].ID, Config: things[at].Config}
		}
	}
	return lives
}

// Observe implements tusync.Observer.
func (h findingWorld) Observe(_ context.Context, records []state.Record) []tusync.Live {
	return h.world.observe(records)
}

func (w *World) observe(records []state.Record) []tusync.Live {
	lives := make([]tusync.Live, len(records))
	for i := range records {
		thing, err := w.thing(records[i].ID)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			lives[i].Err = err
		default:
			lives[i] = tusync.Live{ID: thing.ID, Config: thing.Config}
		}
	}
	return lives
}
