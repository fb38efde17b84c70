package envsyncer_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/operatorsync/internal/apps"
	"github.com/trueup-go/trueup/examples/operatorsync/internal/envsyncer"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/filesyncer"
)

// server is a folder of .env files, and what was told of edits in it.
type server struct {
	address string // of the test
	dir     string
	edits   [][]envsyncer.Edit
}

// newServer makes a folder with these files, by domain. Its name is a pattern of sorts,
// and a link leads to it, as one may to ~/.abra.
func newServer(t *testing.T, files map[string]string) *server {
	t.Helper()
	s := &server{address: t.TempDir()}
	s.dir = filepath.Join(s.address, "link", "a[1")
	require.NoError(t, os.MkdirAll(filepath.Join(s.address, "real", "a[1"), 0o700))
	require.NoError(t, os.Symlink("real", filepath.Join(s.address, "link")))
	for domain, text := range files {
		s.put(t, domain, text)
	}
	return s
}

func (s *server) path(domain string) string { return filepath.Join(s.dir, domain+".env") }

func (s *server) note() string { return filepath.Join(s.dir, envsyncer.Dir, "unwritten.json") }

// put writes an app's file, as an editor does.
func (s *server) put(t *testing.T, domain, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(s.path(domain), []byte(text), 0o600))
}

func (s *server) text(t *testing.T, domain string) string {
	t.Helper()
	text, err := os.ReadFile(s.path(domain))
	require.NoError(t, err)
	return string(text)
}

func (s *server) sidecar(t *testing.T) *filesyncer.Backend {
	t.Helper()
	b, err := filesyncer.New(filepath.Join(s.dir, envsyncer.Dir, "records"), state.Scope{Org: "operators", App: "example.com"},
		&filesyncer.Options{History: -1})
	require.NoError(t, err)
	return b
}

func (s *server) open(t *testing.T) *envsyncer.Backend {
	t.Helper()
	return s.stepping(t, func(string) {})
}

func (s *server) stepping(t *testing.T, step func(string)) *envsyncer.Backend {
	t.Helper()
	b, err := envsyncer.NewStepping(s.dir, s.sidecar(t), &envsyncer.Options{
		Edited: func(edits []envsyncer.Edit) { s.edits = append(s.edits, edits) },
	}, step)
	require.NoError(t, err)
	return b
}

// record records versions, in one commit.
func (s *server) record(t *testing.T, versions map[string]string) {
	t.Helper()
	w, err := begin(t.Context(), s.open(t))
	require.NoError(t, err)
	require.NoError(t, w.commit(t.Context(), versions))
	require.NoError(t, w.tx.Close(t.Context()))
}

// recorded returns the recorded versions as a reader finds them, and the records. It
// holds that the State is sound.
func (s *server) recorded(t *testing.T) (versions map[string]string, records []state.Record) {
	t.Helper()
	versions, records, err := look(t.Context(), s.open(t))
	require.NoError(t, err)
	return versions, records
}

func look(ctx context.Context, b sync.Backend) (versions map[string]string, records []state.Record, err error) {
	head, err := b.Head(ctx)
	if err != nil {
		return nil, nil, err
	}
	var sums []state.Checksum
	for r, err := range b.Records(ctx) {
		if err != nil {
			return nil, nil, err
		}
		if records = append(records, r); !r.Checksum.IsZero() {
			sums = append(sums, r.Checksum)
		}
	}
	sealed, err := state.Seal(head, records)
	if err != nil {
		return nil, nil, err
	}
	if head.Serial > 0 && !reflect.DeepEqual(sealed, head) {
		return nil, nil, fmt.Errorf("the head is %v, and the records make it %v", head, sealed)
	}
	declared, err := b.Declared(ctx, sums)
	if err != nil {
		return nil, nil, err
	}
	versions = map[string]string{}
	for _, r := range records {
		if app, err := apps.Of(declared[r.Checksum].Config); err == nil {
			versions[r.Name] = app.Version
		}
	}
	return versions, records, nil
}

// writer is a Tx, and the State that it works on.
type writer struct {
	tx      sync.Tx
	head    state.Head
	records map[state.Key]state.Record
}

func begin(ctx context.Context, b sync.Backend) (*writer, error) {
	tx, head, err := b.Begin(ctx, "a test")
	if err != nil {
		return nil, err
	}
	_, records, err := look(ctx, b)
	w := &writer{tx: tx, head: head, records: map[state.Key]state.Record{}}
	for _, r := range records {
		w.records[r.Key] = r
	}
	return w, err
}

// commit records versions, and no app whose version is empty.
func (w *writer) commit(ctx context.Context, versions map[string]string) error {
	delta := state.Delta{Head: w.head}
	after := maps.Clone(w.records)
	for _, domain := range slices.Sorted(maps.Keys(versions)) {
		if versions[domain] == "" {
			delta.Dropped = append(delta.Dropped, apps.Key(domain))
			delete(after, apps.Key(domain))
			continue
		}
		r, sum, err := appAt(domain, versions[domain])
		if err != nil {
			return err
		}
		record := state.Record{Key: r.Key, ID: apps.Stack(domain), ConfigID: "config-" + sum.String(), Checksum: sum}
		after[r.Key] = record
		delta.Records, delta.Declared = append(delta.Records, record), append(delta.Declared, r)
	}
	return w.give(ctx, delta, after)
}

// intend records that an app is about to be brought to a version.
func (w *writer) intend(ctx context.Context, domain, version string) error {
	r, sum, err := appAt(domain, version)
	if err != nil {
		return err
	}
	after := maps.Clone(w.records)
	record := after[r.Key]
	record.Key, record.Pending = r.Key, []state.Pending{{Op: "create", Serial: w.head.Serial + 1, Checksum: sum}}
	after[r.Key] = record
	return w.give(ctx, state.Delta{Head: w.head, Records: []state.Record{record}, Declared: []state.Resource{r}}, after)
}

func (w *writer) give(ctx context.Context, delta state.Delta, after map[state.Key]state.Record) error {
	delta.Head.Serial++
	delta.Head.ConfigID = fmt.Sprint("snapshot-", delta.Head.Serial)
	sealed, err := state.Seal(delta.Head, slices.SortedFunc(maps.Values(after), func(a, b state.Record) int { return a.Compare(b.Key) }))
	if err != nil {
		return err
	}
	delta.Head = sealed
	head, err := w.tx.Commit(ctx, delta)
	if err == nil {
		w.head, w.records = head, after
	}
	return err
}

func appAt(domain, version string) (state.Resource, state.Checksum, error) {
	r, err := apps.Define(nil).Resource(apps.Kind, domain, apps.App{Recipe: "recipe", Version: version, Environment: "none"})
	if err != nil {
		return r, state.Checksum{}, err
	}
	sum, err := r.Checksum()
	return r, sum, err
}
