package filesyncer_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/filesyncer"
)

func scope() state.Scope { return state.Scope{Org: "acme", App: "shop"} }

func key(name string) state.Key { return state.Key{Kind: "thing", Name: name} }

func resource(name string) state.Resource {
	return state.Resource{Key: key(name), Config: fmt.Appendf(nil, `{"name":%q}`, name)}
}

func open(t testing.TB, dir string) *filesyncer.Backend {
	t.Helper()
	return openWith(t, dir, nil)
}

func openWith(t testing.TB, dir string, opts *filesyncer.Options) *filesyncer.Backend {
	t.Helper()
	b, err := filesyncer.New(dir, scope(), opts)
	require.NoError(t, err)
	return b
}

// next returns the delta that adds resources by name to a State, and drops those
// with a minus before their name.
func next(head state.Head, records []state.Record, names ...string) (state.Delta, error) {
	delta := state.Delta{Head: head}
	after := map[state.Key]state.Record{}
	for _, r := range records {
		after[r.Key] = r
	}
	for _, name := range names {
		if name[0] == '-' {
			delta.Dropped = append(delta.Dropped, key(name[1:]))
			delete(after, key(name[1:]))
			continue
		}
		r := resource(name)
		sum, err := r.Checksum()
		if err != nil {
			return delta, err
		}
		after[r.Key] = state.Record{Key: r.Key, ID: "id-" + name, ConfigID: "config-" + name, Checksum: sum}
		delta.Records = append(delta.Records, after[r.Key])
		delta.Declared = append(delta.Declared, r)
	}
	byKey := func(a, b state.Record) int { return a.Compare(b.Key) }
	slices.SortFunc(delta.Records, byKey)
	slices.SortFunc(delta.Dropped, state.Key.Compare)
	delta.Head.Serial++
	delta.Head.ConfigID = fmt.Sprint("snapshot-", delta.Head.Serial)
	var err error
	delta.Head, err = state.Seal(delta.Head, slices.SortedFunc(maps.Values(after), byKey))
	return delta, err
}

// writer is a Tx, and the State that it works on.
type writer struct {
	tx      tusync.Tx
	head    state.Head
	records []state.Record
}

func begin(ctx context.Context, b *filesyncer.Backend) (*writer, error) {
	tx, head, err := b.Begin(ctx, "a test")
	if err != nil {
		return nil, err
	}
	w := &writer{tx: tx, head: head}
	for r, err := range b.Records(ctx) {
		if err != nil {
			return nil, errors.Join(err, tx.Close(ctx))
		}
		w.records = append(w.records, r)
	}
	return w, nil
}

func (w *writer) commit(ctx context.Context, names ...string) error {
	delta, err := next(w.head, w.records, names...)
	if err != nil {
		return err
	}
	head, err := w.tx.Commit(ctx, delta)
	if err != nil {
		return err
	}
	w.head = head
	w.records, err = delta.Apply(w.records)
	return err
}

// write commits names to a directory, a commit each, and closes.
func write(t testing.TB, b *filesyncer.Backend, names ...string) {
	t.Helper()
	w, err := begin(t.Context(), b)
	require.NoError(t, err)
	for _, name := range names {
		require.NoError(t, w.commit(t.Context(), name))
	}
	require.NoError(t, w.tx.Close(t.Context()))
}

// names returns what is recorded, after it has verified all of it.
func names(t testing.TB, dir string) []string {
	t.Helper()
	b := open(t, dir)
	head, err := b.Head(t.Context())
	require.NoError(t, err)
	var records []state.Record
	var sums []state.Checksum
	for r, err := range b.Records(t.Context()) {
		require.NoError(t, err)
		records = append(records, r)
		sums = append(sums, r.Checksum)
	}
	if head.Serial > 0 {
		sealed, err := state.Seal(head, records)
		require.NoError(t, err)
		require.Equal(t, head, sealed)
	}
	requireHistory(t, b, head)
	found, err := b.Declared(t.Context(), sums)
	require.NoError(t, err)
	var all []string
	for _, r := range records {
		_, there := found[r.Checksum]
		require.True(t, there, "the declaration of %s", r.Key)
		all = append(all, r.Name)
	}
	slices.SortFunc(all, cmp.Compare[string])
	return all
}

// requireHistory verifies every State that is kept, from the present one back.
func requireHistory(t testing.TB, b *filesyncer.Backend, present state.Head) (lowest int64) {
	t.Helper()
	next := present
	for head, err := range b.History(t.Context()) {
		require.NoError(t, err)
		require.Equal(t, next.Serial, head.Serial, "there is a gap")
		at, records := stateAt(t, b, head.Serial)
		require.Equal(t, head, at)
		sealed, err := state.Seal(at, records)
		require.NoError(t, err)
		require.Equal(t, at, sealed)
		next.Serial--
	}
	return next.Serial + 1
}

// requireWhole verifies that no State is missing since the first.
func requireWhole(t testing.TB, dir string, where ...any) {
	t.Helper()
	b := open(t, dir)
	head, err := b.Head(t.Context())
	require.NoError(t, err)
	if head.Serial > 0 {
		require.EqualValues(t, 1, requireHistory(t, b, head), where...)
	}
}

func stateAt(t testing.TB, b *filesyncer.Backend, serial int64) (state.Head, []state.Record) {
	t.Helper()
	head, sequence, err := b.StateAt(t.Context(), serial)
	require.NoError(t, err)
	var records []state.Record
	for r, err := range sequence {
		require.NoError(t, err)
		records = append(records, r)
	}
	return head, records
}

// read returns what is in a file of a directory.
func read(t testing.TB, dir, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	require.NoError(t, err)
	return text
}

// newDir returns the name of a directory that isn't there.
func newDir(t testing.TB) string { return filepath.Join(t.TempDir(), "acme", "shop") }

// lapseDir makes the leases of one directory lapse.
func lapseDir(t testing.TB, dir string) { lapse(t, filepath.Dir(filepath.Dir(dir))) }

const patience = 20 * time.Second

func isAny(err error, targets ...error) bool {
	return slices.ContainsFunc(targets, func(target error) bool { return errors.Is(err, target) })
}
