package sync_test

import (
	"context"
	"encoding/json"
	"iter"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

func scope() state.Scope { return state.Scope{Org: "acme", App: "shop"} }

// thing is the kind of most tests.
type thing struct {
	Size  int
	Label string `sync:"default=plain"`
	Extra map[string]any
}

func kinds() *sync.KindSet { return sync.Kinds(sync.Define[thing]("thing")) }

func key(name string) state.Key { return state.Key{Kind: "thing", Name: name} }

// desire declares "name", "name=size", "name=size>after>after".
func desire(t testing.TB, texts ...string) *sync.Desired {
	t.Helper()
	desired := &sync.Desired{}
	for _, text := range texts {
		parts := strings.Split(text, ">")
		name, size, _ := strings.Cut(parts[0], "=")
		n, err := json.Number("0" + size).Int64()
		require.NoError(t, err)
		r, err := kinds().Resource("thing", name, thing{Size: int(n)})
		require.NoError(t, err)
		for _, after := range parts[1:] {
			r.After = append(r.After, key(after))
		}
		desired.Resources = append(desired.Resources, r)
	}
	return desired
}

// spy is a backend that counts calls, and fails where it is told to.
type spy struct {
	sync.Backend
	heads, records, begins, applies, commits, closes atomic.Int32

	batches    [][]string                // what Tx.Apply was given
	fail       map[string]error          // by name: what fails in Tx.Apply
	failCommit func(serial int64) error  // what fails in Tx.Commit
	onBegin    func()                    // before Begin
	onApply    func(ctx context.Context) // in Tx.Apply
}

func newSpy() *spy { return &spy{Backend: syncertest.NewMemory(scope()), fail: map[string]error{}} }

func (s *spy) Head(ctx context.Context) (state.Head, error) {
	s.heads.Add(1)
	return s.Backend.Head(ctx)
}

func (s *spy) Records(ctx context.Context) iter.Seq2[state.Record, error] {
	s.records.Add(1)
	return s.Backend.Records(ctx)
}

func (s *spy) Begin(ctx context.Context, owner string) (sync.Tx, state.Head, error) {
	s.begins.Add(1)
	if s.onBegin != nil {
		s.onBegin()
	}
	tx, head, err := s.Backend.Begin(ctx, owner)
	if err != nil {
		return nil, head, err
	}
	return &spyTx{tx, s}, head, nil
}

type spyTx struct {
	sync.Tx
	s *spy
}

func (tx *spyTx) Apply(ctx context.Context, changes []diff.Change) ([]sync.Outcome, error) {
	tx.s.applies.Add(1)
	if tx.s.onApply != nil {
		tx.s.onApply(ctx)
	}
	var names []string
	var good []diff.Change
	for _, c := range changes {
		names = append(names, string(c.Op())+" "+c.Key().Name)
		if tx.s.fail[c.Key().Name] == nil {
			good = append(good, c)
		}
	}
	tx.s.batches = append(tx.s.batches, names)
	done, err := tx.Tx.Apply(ctx, good)
	if err != nil {
		return nil, err
	}
	var outcomes []sync.Outcome
	for _, c := range changes {
		if err := tx.s.fail[c.Key().Name]; err != nil {
			outcomes = append(outcomes, sync.Outcome{Err: err})
			continue
		}
		outcomes, done = append(outcomes, done[0]), done[1:]
	}
	return outcomes, nil
}

func (tx *spyTx) Commit(ctx context.Context, delta state.Delta) (state.Head, error) {
	tx.s.commits.Add(1)
	if tx.s.failCommit != nil {
		if err := tx.s.failCommit(delta.Head.Serial); err != nil {
			return state.Head{}, err
		}
	}
	return tx.Tx.Commit(ctx, delta)
}

func (tx *spyTx) Close(ctx context.Context) error {
	tx.s.closes.Add(1)
	return tx.Tx.Close(ctx)
}

func newEngine(t testing.TB, backend sync.Backend, opts *sync.Options) *sync.Engine {
	t.Helper()
	engine, err := sync.New(backend, kinds(), opts)
	require.NoError(t, err)
	return engine
}

func plan(t testing.TB, e *sync.Engine, desired *sync.Desired, opts *sync.PlanOptions) *sync.Plan {
	t.Helper()
	p, err := e.Plan(t.Context(), desired, opts)
	require.NoError(t, err)
	return p
}

// syncAll plans and applies, and wants it to go well.
func syncAll(t testing.TB, e *sync.Engine, desired *sync.Desired, opts *sync.PlanOptions) *sync.Result {
	t.Helper()
	result, err := e.Apply(t.Context(), plan(t, e, desired, opts))
	require.NoError(t, err)
	return result
}

// planned lists the changes of a plan as "op name".
func planned(p *sync.Plan) []string {
	var got []string
	for _, c := range p.Changes {
		got = append(got, string(c.Op())+" "+c.Key().Name)
	}
	return got
}

// ends lists how the changes ended, as "name status".
func ends(r *sync.Result) []string {
	var got []string
	for _, c := range r.Changes {
		got = append(got, c.Change.Key().Name+" "+string(c.Status))
	}
	slices.Sort(got)
	return got
}

func recordsIn(t testing.TB, b sync.Backend) map[string]state.Record {
	t.Helper()
	all := map[string]state.Record{}
	for r, err := range b.Records(t.Context()) {
		require.NoError(t, err)
		all[r.Name] = r
	}
	return all
}

func names(records []state.Record) []string {
	var got []string
	for _, r := range records {
		got = append(got, r.Name)
	}
	return got
}
