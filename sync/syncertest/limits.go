package syncertest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

func limitTests() []test {
	return []test{
		{name: "OddNames", run: oddNames},
		{name: "LargeConfig", run: largeConfig},
		{name: "TenThousandRecords", run: tenThousand},
		{name: "ScopesAreIndependent", run: scopesAreIndependent},
		{name: "ReadersSeeWholeCommits", run: readersSeeWholeCommits},
	}
}

// Names may be any printable text.
func oddNames(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	kind := s.Resource(0, 1).Kind
	var resources []state.Resource
	for _, name := range []string{
		"a/b", "a//b", "/", ".", "..", "../../etc/passwd", "~", " ", "  two  spaces ", "-", "--flag", "%41", "a%2Fb", "a b", "a+b",
		"ünïcode", "u\u0308", "日本語", "🙂", "שלום", "null", "true", "0", "00", "''", `"`, `\`, `\\n`, `C:\x`, "`", "$HOME", "; drop table", "'; --", "*", "?",
		"<&>", "a=b", "a#b", "a,b", "{}", "[]", "\u2028", "\ufeff", "A", "a", strings.Repeat("long", 200), "\U0010ffff", "�",
	} {
		r := s.Resource(len(resources), 1)
		r.Name, r.After, r.Description = name, nil, name
		resources = append(resources, r)
	}
	for i := range resources[1:] {
		resources[i+1].After = []state.Key{{Kind: kind, Name: resources[i].Name}}
	}
	half := len(resources) / 2
	m.sync(t, store, b, resources[:half])
	m.sync(t, store, b, resources[half:])
	m.matches(t, store, store.open(t))
	require.Len(t, m.records, len(resources))

	tx, _ := store.begin(t, b)
	m.commit(t, tx, m.put(t, nil, keysOf(resources[:half])...))
	m.matches(t, store, store.open(t))
	_, _, err := store.open(t).Begin(t.Context(), "x")
	require.ErrorIs(t, err, tusync.ErrLocked)
	require.NoError(t, tx.Close(t.Context()))
	for _, owner := range []string{"", "a \"quoted\" ünï\ncode\x00 owner", strings.Repeat("long", 1000)} {
		tx, _, err := b.Begin(t.Context(), owner)
		require.NoError(t, err)
		_, _, err = store.open(t).Begin(t.Context(), "x")
		require.ErrorIs(t, err, tusync.ErrLocked)
		require.NoError(t, tx.Close(t.Context()))
	}
}

// A Config may be larger than any buffer.
func largeConfig(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	r := s.Resource(1, 1)
	r.After = nil
	large := bytes.Repeat([]byte("0123456789abcdef"), 3<<16) // 3 MiB
	r.Description = string(large[:1<<20])
	if s.usesDefaults() {
		r.Config = json.RawMessage(fmt.Sprintf(`{"label":%q}`, large))
	}
	m.sync(t, store, b, []state.Resource{s.Resource(0, 1), r, s.Resource(2, 1)})
	m.matches(t, store, b)
	m.matches(t, store, store.open(t))
}

func (s *Suite) usesDefaults() bool { return s.Resource(0, 1).Kind == DefaultResource(0, 1).Kind }

func tenThousand(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	count := min(10_000, Soak(200_000)) // fewer where each takes long, as under the race detector
	all := s.resources(0, count, 1)
	m.sync(t, store, b, all)
	m.matches(t, store, store.open(t))
	m.sync(t, store, b, s.resources(0, 100, 2), keysOf(all[count-100:])...)
	m.matches(t, store, store.open(t))
	require.Len(t, m.records, count-100)
}

// What is done in one scope is not seen in another, and its lease is another.
func scopesAreIndependent(t *testing.T, s *Suite) {
	base := s.fresh(t)
	type side struct {
		*store
		b  tusync.Backend
		tx tusync.Tx
		m  *model
	}
	var sides []side
	for i, scope := range []state.Scope{
		{Org: "acme", App: "shop"}, {Org: "acme", App: "shop2"}, {Org: "acme2", App: "shop"}, {Org: "shop", App: "acme"},
		{Org: "a", App: "b.c"}, {Org: "a.b", App: "c"}, {Org: "ünï 🙂", App: "%41 '\"; --"}, {Org: "ACME", App: "shop"},
	} {
		at := *base
		at.scope = scope
		one := side{store: &at, b: at.open(t), m: newModel(scope)}
		one.tx, _ = at.begin(t, one.b)
		one.m.commit(t, one.tx, one.m.put(t, s.resources(0, 3+i, i)))
		sides = append(sides, one)
	}
	for _, one := range sides {
		one.m.commit(t, one.tx, one.m.put(t, nil, s.Resource(0, 1).Key))
		require.NoError(t, one.tx.Close(t.Context()))
	}
	for _, one := range sides {
		one.m.matches(t, one.store, one.open(t))
	}
}

// Whoever reads while others write sees what one commit left: records that fit
// the roots of a head, serials that only grow.
func readersSeeWholeCommits(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	m.sync(t, store, b, s.resources(0, 40, 0))
	stop, done := make(chan struct{}), make(chan error, 2)
	for range cap(done) {
		reader := store.open(t)
		go func() { done <- readOnAndOn(t, reader, stop) }()
	}
	for version := 1; version <= 25; version++ {
		m.sync(t, store, b, s.resources(version, 40, version), s.Resource(version-1, 0).Key)
	}
	close(stop)
	for range cap(done) {
		require.NoError(t, <-done)
	}
	m.matches(t, store, b)
}

func readOnAndOn(t *testing.T, b tusync.Backend, stop chan struct{}) error {
	var serial int64
	for {
		before, err := b.Head(t.Context())
		if err != nil {
			return err
		}
		var records []state.Record
		for r, err := range b.Records(t.Context()) {
			if err != nil {
				return err
			}
			records = append(records, r)
		}
		after, err := b.Head(t.Context())
		if err != nil {
			return err
		}
		sealed, err := state.Seal(before, records)
		switch {
		case err != nil:
			return err
		case before.Serial < serial || after.Serial < before.Serial:
			return fmt.Errorf("serial %d, %d, %d in this order", serial, before.Serial, after.Serial)
		case before.Token == after.Token && sealed.Root != before.Root:
			return errors.New("the records don't fit the head")
		}
		serial = after.Serial
		select {
		case <-stop:
			return nil
		default:
		}
	}
}
