package syncertest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// outside is a store, and beside it a world in which Handlers act.
type outside struct {
	*store
	dir       string         // of the world
	reader    tusync.Backend // a handle of its own
	digestKey []byte         // nil: the backend keeps one
}

// outside makes an empty store and an empty world.
func (s *Suite) outside(t *testing.T) *outside {
	t.Helper()
	o := &outside{store: s.fresh(t), dir: t.TempDir(), digestKey: []byte("a key for tests alone")}
	for _, dir := range []string{o.things(), o.running()} {
		require.NoError(t, os.Mkdir(dir, 0o700))
	}
	o.reader = o.open(t)
	return o
}

// things is the directory of the World, running that of what is deployed.
func (o *outside) things() string  { return filepath.Join(o.dir, "things") }
func (o *outside) running() string { return filepath.Join(o.dir, "running") }

// declared returns a declaration that is kept.
func (o *outside) declared(ctx context.Context, sum state.Checksum) (state.Resource, error) {
	found, err := o.reader.Declared(ctx, []state.Checksum{sum})
	if err != nil {
		return state.Resource{}, err
	}
	resource, ok := found[sum]
	if !ok {
		return resource, fmt.Errorf("the declaration %s is not kept", sum)
	}
	return resource, nil
}

// snapshot is everything, recorded and real, at one time.
type snapshot struct {
	head    state.Head
	list    []state.Record
	records map[state.Key]state.Record
	things  map[string]WorldThing
	// declared is what the records name, as far as the backend keeps it: later it may
	// have forgotten what nothing names any more.
	declared map[state.Checksum]state.Resource
}

// look reads everything, and checks that the State is whole.
func (o *outside) look(ctx context.Context) (*snapshot, error) {
	head, err := o.reader.Head(ctx)
	if err != nil {
		return nil, err
	}
	s := &snapshot{head: head, things: map[string]WorldThing{}}
	for r, err := range o.reader.Records(ctx) {
		if err != nil {
			return nil, err
		}
		s.list = append(s.list, r)
	}
	s.records = byKey(s.list)
	if err := s.isWhole(); err != nil {
		return nil, err
	}
	if s.declared, err = o.declarations(ctx, s.list); err != nil {
		return nil, err
	}
	things, err := NewWorld(o.things()).Things()
	for _, thing := range things {
		s.things[thing.ID] = thing
	}
	return s, err
}

// declarations returns what records name.
func (o *outside) declarations(ctx context.Context, records []state.Record) (map[state.Checksum]state.Resource, error) {
	if o.lacks(Declarations) {
		return nil, nil
	}
	sums := make([]state.Checksum, len(records))
	for i := range records {
		sums[i] = records[i].Checksum
	}
	return o.reader.Declared(ctx, sums)
}

// isWhole checks that the records fit the head.
func (s *snapshot) isWhole() error {
	if s.head.Serial == 0 {
		return nil
	}
	sealed, err := state.Seal(s.head, slices.Clone(s.list))
	if err != nil {
		return err
	}
	want, err := json.Marshal(s.head)
	if err != nil {
		return err
	}
	got, err := json.Marshal(sealed)
	if err == nil && string(got) != string(want) {
		err = fmt.Errorf("the head is %s, and the records make %s", want, got)
	}
	return err
}

// unnamed returns the ID of the thing of a key that no record names, and that isn't
// nobody's.
func (s *snapshot) unnamed(key state.Key, unowned map[string]bool) string {
	named := map[string]bool{}
	for _, record := range s.list {
		named[record.ID], named[record.Replaced] = true, true
	}
	for id, thing := range s.things {
		if thing.Key == key.String() && !named[id] && !unowned[id] {
			return id
		}
	}
	return ""
}

// ownerOf returns the record that names a thing, or under whose key it was being
// created; nil if none does.
func (s *snapshot) ownerOf(thing WorldThing) *state.Record {
	i := slices.IndexFunc(s.list, func(r state.Record) bool { return r.ID == thing.ID || r.Replaced == thing.ID })
	if i < 0 {
		i = slices.IndexFunc(s.list, func(r state.Record) bool { return r.String() == thing.Key && isInterrupted(&r) })
	}
	if i < 0 {
		return nil
	}
	return &s.list[i]
}

// isTaken tells whether what an interrupted create may have made can't be looked
// up, since a thing of that name is another resource's.
func (s *snapshot) isTaken(record *state.Record) bool {
	for _, thing := range s.things {
		owner := s.ownerOf(thing)
		if thing.Key == record.String() && owner != nil && owner.Key != record.Key && isInterrupted(record) && pieceKindOf(record.Kind).finds {
			return true
		}
	}
	return false
}

// isNeeded tells whether something depends on a record.
func (s *snapshot) isNeeded(key state.Key) bool {
	return slices.ContainsFunc(s.list, func(r state.Record) bool { return slices.Contains(r.After, key) })
}
