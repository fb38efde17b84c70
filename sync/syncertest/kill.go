package syncertest

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// crash returns the test that kills the scenario's sync, in one mode, at every
// step and at random instants, and then runs it again.
func (sc scenario) crash(mode tusync.FailureMode) func(t *testing.T, s *Suite) {
	return func(t *testing.T, s *Suite) {
		c := &crashes{scenario: sc, mode: mode, random: rand.New(rand.NewPCG(5, uint64(len(sc.name)+len(mode))))}
		measure, run := c.measure, c.run
		if sc.acts != nil {
			measure, run = c.measureActs, c.runActs
		}
		steps, typical := measure(t, s)
		turns := 0
		for _, at := range spread(steps, c.random) {
			run(t, s, job{KillAt: at}, 0)
			turns++
		}
		// Eight such tests make 500 kills at least, of a full soak.
		for range max(Soak(20), Soak(63)-turns) {
			run(t, s, job{}, time.Duration(c.random.Int64N(int64(typical)+1)))
			turns++
		}
		t.Logf("%d steps, %d kills, %d of which came too late", steps, c.kills, c.late)
	}
}

// spread returns which of the steps to kill at: all of them in a full soak, else
// a part, evenly spread from a random first one on.
func spread(steps int64, random *rand.Rand) []int64 {
	count := int64(Soak(int(steps)))
	if count >= steps {
		count = steps
	}
	first := random.Int64N(steps)
	var all []int64
	for i := range count {
		all = append(all, (first+i*steps/count)%steps+1)
	}
	return all
}

// crashes are the kills of one scenario.
type crashes struct {
	scenario
	mode   tusync.FailureMode
	random *rand.Rand
	turns  int
	kills  int
	late   int // kills that came when all was over
}

// prepare makes a store in which everything is as before the sync.
func (sc *scenario) prepare(t *testing.T, s *Suite) *store {
	t.Helper()
	store := s.fresh(t)
	e := s.engine(t, store.open(t), nil)
	for _, declared := range sc.before(s) {
		trueUp(t, e, declared, nil)
	}
	return store
}

// measure runs the sync to its end, and returns how many steps it has and how
// long it takes.
func (c *crashes) measure(t *testing.T, s *Suite) (steps int64, typical time.Duration) {
	t.Helper()
	store := c.prepare(t, s)
	steps, typical = c.live(t, store, job{Do: "sync"})
	c.converges(t, store, c.after(s))
	return steps, typical
}

// live lets a process live that does a job of the scenario, and returns what it
// measured.
func (c *crashes) live(t *testing.T, store *store, j job) (steps int64, typical time.Duration) {
	t.Helper()
	j.Scenario, j.Mode = c.name, c.mode
	p := store.start(t, j)
	require.Equal(t, "begin", p.hear(), "%s", &p.stderr)
	said := p.hear()
	require.False(t, p.end(t))
	_, err := fmt.Sscanf(said, "steps %d %d", &steps, &typical)
	require.NoError(t, err, "%q %s", said, &p.stderr)
	return steps, typical
}

// kill kills a process that does a job of the scenario, at the job's step or else
// after a while.
func (c *crashes) kill(t *testing.T, store *store, j job, after time.Duration) (what string) {
	t.Helper()
	j.Scenario, j.Mode = c.name, c.mode
	p := store.start(t, j)
	require.Equal(t, "begin", p.hear(), "%s", &p.stderr)
	if j.KillAt == 0 {
		timer := time.NewTimer(after)
		<-timer.C
		_ = p.cmd.Process.Kill() // it may have ended
	}
	c.kills++
	if !p.end(t) {
		c.late++
	}
	return fmt.Sprintf("killed at step %d, or after %s", j.KillAt, after)
}

// run kills one sync, at a step or after a while, looks at what is left, and runs
// again: with the declaration as it was or edited, with a leftover or without.
func (c *crashes) run(t *testing.T, s *Suite, j job, after time.Duration) {
	t.Helper()
	store := c.prepare(t, s)
	before := c.look(t, store)
	j.Do = "sync"
	what := c.kill(t, store, j, after)
	left := c.look(t, store)
	c.isBetween(t, store, before, left, what)

	declared := c.after(s)
	c.turns++
	if c.turns%2 == 0 {
		declared = c.edited(s)
	}
	names := slices.Sorted(maps.Keys(s.Crash.Leftovers))
	if at := c.turns % (len(names) + 1); at < len(names) {
		s.Crash.Leftovers[names[at]](t, store.address, store.scope)
		require.Equal(t, left, c.look(t, store), "%s, then %s was planted", what, names[at])
	}
	c.again(t, store, left, declared, what)
}

// seen is what a reader saw.
type seen struct {
	head    state.Head
	records map[state.Key]state.Record
}

// look reads everything: it must be readable, and fit together, at any time.
func (c *crashes) look(t *testing.T, store *store) seen {
	t.Helper()
	b := store.open(t)
	head, err := b.Head(t.Context())
	require.NoError(t, err)
	records := collect(t, b)
	if head.Serial == 0 {
		require.Empty(t, records)
		return seen{head: head, records: map[state.Key]state.Record{}}
	}
	sealed, err := state.Seal(head, records)
	require.NoError(t, err)
	require.Equal(t, jsonOf(t, head), jsonOf(t, sealed), "the records don't fit the head")
	ids := map[string]state.Key{}
	var sums []state.Checksum
	for _, r := range records {
		require.NotContains(t, ids, r.ID, "%s is what another key is, too", r.Key)
		ids[r.ID] = r.Key
		sums = append(sums, r.Checksum)
	}
	if !store.lacks(Declarations) {
		found, err := b.Declared(t.Context(), sums)
		require.NoError(t, err)
		for _, r := range records {
			require.Contains(t, found, r.Checksum, "the declaration of %s is lost", r.Key)
		}
	}
	c.remembers(t, store, b, head)
	return seen{head: head, records: byKey(records)}
}

// remembers checks that no State is missing from the history, and that one of
// them, any, is whole.
func (c *crashes) remembers(t *testing.T, store *store, b tusync.Backend, head state.Head) {
	t.Helper()
	if store.lacks(History) {
		return
	}
	next := head.Serial
	for _, earlier := range headsOf(t, b) {
		require.Equal(t, next, earlier.Serial, "the history has a gap")
		next--
	}
	require.LessOrEqual(t, next, max(0, head.Serial-kept), "the history has lost its beginning")
	at, records := stateAt(t, b, next+1+rand.Int64N(head.Serial-next))
	sealed, err := state.Seal(at, records)
	require.NoError(t, err)
	require.Equal(t, jsonOf(t, at), jsonOf(t, sealed), "the records of an earlier State don't fit its head")
}

// isBetween checks that what a kill left is, for each key, what was before or
// what was to be; and all of it one or the other if it is all or nothing.
func (c *crashes) isBetween(t *testing.T, store *store, before, left seen, what string) {
	t.Helper()
	require.GreaterOrEqual(t, left.head.Serial, before.head.Serial, what)
	target := map[state.Key]state.Checksum{}
	for _, r := range c.after(store.Suite) {
		sum, err := r.Checksum()
		require.NoError(t, err)
		target[r.Key] = sum
	}
	for key, was := range before.records {
		if is, ok := left.records[key]; ok {
			require.Equal(t, was.ID, is.ID, "%s: %s is another thing now", what, key)
			continue
		}
		_, declared := target[key]
		require.True(t, !declared && c.goes(store.Suite, key), "%s: %s is lost", what, key)
	}
	for key, is := range left.records {
		was, existed := before.records[key]
		sum, declared := target[key]
		asBefore := existed && is.Checksum == was.Checksum
		require.True(t, asBefore || declared && is.Checksum == sum, "%s: %s is neither as before nor as declared", what, key)
		require.False(t, declared && is.Orphaned && !was.Orphaned, "%s: %s is declared, and an orphan", what, key)
	}
	if c.mode != tusync.AllOrNothing {
		return
	}
	if left.head.Token == before.head.Token {
		require.Equal(t, before, left, what)
		return
	}
	require.Equal(t, before.head.Serial+1, left.head.Serial, what)
	for key := range target {
		require.Contains(t, left.records, key, "%s: committed by halves", what)
	}
}

// again runs the sync once more, as the next process does, and checks that it
// converges by itself.
func (c *crashes) again(t *testing.T, store *store, left seen, declared []state.Resource, what string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*tusync.LeaseTTL)
	defer cancel()
	serial := left.head.Serial
	here := &watched{Backend: store.open(t)} // a Runner's events come late
	e := store.engine(t, here, &tusync.Options{BatchSize: 3, OnEvent: func(e tusync.Event) {
		if e.Type == tusync.EventCommit {
			serial++
			require.Equal(t, serial, e.Serial, "%s: a serial was left out", what)
			require.Equal(t, serial, c.look(t, store).head.Serial, what)
		}
	}})
	opts := c.options(store.Suite, c.mode, left.records)
	if !store.Crash.DeathShows {
		store.Lapse(t, store.address)
	}
	p, err := e.Plan(ctx, &tusync.Desired{Resources: declared}, opts)
	require.NoError(t, err, what)
	_, err = e.Apply(ctx, p)
	require.NoError(t, err, what)
	now := c.converges(t, store, declared)
	require.Equal(t, serial, now.head.Serial, what)
	for key, was := range left.records {
		if is, ok := now.records[key]; ok {
			require.Equal(t, was.ID, is.ID, "%s: %s was made anew", what, key)
			continue
		}
		require.True(t, c.goes(store.Suite, key), "%s: %s, which was recorded after the kill, is lost", what, key)
	}
}

// converges checks that what is declared is what is recorded, that nothing exists
// twice, and that there is nothing left to do.
func (c *crashes) converges(t *testing.T, store *store, declared []state.Resource) seen {
	t.Helper()
	now := c.look(t, store)
	index := map[state.Key]bool{}
	for _, r := range declared {
		index[r.Key] = true
	}
	var orphans []state.Key
	for key := range now.records {
		if !index[key] {
			orphans = append(orphans, key)
		}
	}
	requireDeclared(t, store.open(t), declared, orphans...)
	opts := c.options(store.Suite, c.mode, now.records)
	require.Empty(t, opts.Forget)
	e := store.engine(t, store.open(t), nil)
	require.True(t, plan(t, e, declared, opts).IsEmpty())
	if store.Crash.Things != nil {
		things := store.Crash.Things(t, store.address, store.scope)
		require.Len(t, things, len(now.records))
		for key, r := range now.records {
			require.Equal(t, []string{r.ID}, things[key], "what exists of %s", key)
		}
	}
	return now
}

// leftovers plants everything that a crash may leave, one by one and all
// together, before the scenario's sync.
func (sc scenario) leftovers(t *testing.T, s *Suite) {
	if sc.acts != nil {
		sc.leftoversBesideActs(t, s)
		return
	}
	names := slices.Sorted(maps.Keys(s.Crash.Leftovers))
	modes := []tusync.FailureMode{tusync.AllOrNothing, tusync.KeepGoing}
	if s.lacks(AllOrNothing) {
		modes[0] = tusync.KeepGoing
	}
	plant := func(t *testing.T, modes []tusync.FailureMode, names ...string) {
		for _, mode := range modes {
			c := &crashes{scenario: sc, mode: mode}
			store := sc.prepare(t, s)
			before := c.look(t, store)
			for _, name := range names {
				s.Crash.Leftovers[name](t, store.address, store.scope)
				require.Equal(t, before, c.look(t, store))
			}
			c.again(t, store, before, sc.after(s), "planted")
		}
	}
	for i, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plant(t, modes[i%2:i%2+1], name)
		})
	}
	t.Run("together", func(t *testing.T) {
		t.Parallel()
		plant(t, modes, names...)
	})
}
