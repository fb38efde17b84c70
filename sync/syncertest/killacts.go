package syncertest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// act runs the sync of a scenario with Handlers, and dies at the step that was
// asked for: before or after a call of the backend, or an act.
func (j *job) act(ctx context.Context, s *Suite) error {
	sc, err := scenarioOf(j.Scenario)
	if err != nil {
		return err
	}
	o := &outside{store: &store{Suite: s, address: j.Address, scope: j.Scope}, dir: j.Outside, digestKey: j.Key}
	if o.reader, err = s.Open(j.Address, j.Scope); err != nil {
		return err
	}
	p, err := o.program(actOptions())
	if err != nil {
		return err
	}
	p.fate.turn, p.fate.at = int(j.KillAt), killMyself
	a := sc.killedAttempt(j.Mode)
	desired, err := a.desired(p)
	if err != nil {
		return err
	}
	answer("begin")
	began := time.Now()
	plan, err := p.engine.Plan(ctx, desired, a.opts)
	if err == nil {
		_, err = p.engine.Apply(ctx, plan)
	}
	if len(p.trace.wrong) > 0 {
		return errors.New(strings.Join(p.trace.wrong, "; "))
	}
	if err != nil && !errors.Is(err, tusync.ErrUncertain) {
		return err
	}
	answer("steps %d %d", p.fate.passed, time.Since(began))
	return nil
}

// actOptions make acts go in small groups, several of them at once.
func actOptions() *tusync.Options { return &tusync.Options{BatchSize: 2, Parallel: 2} }

// killedAttempt is the sync that is killed.
func (sc *scenario) killedAttempt(mode tusync.FailureMode) *attempt {
	_, after := sc.acts()
	return &attempt{wants: after, opts: &tusync.PlanOptions{OnFailure: mode, Prune: sc.prune, PruneLimit: tusync.LimitPercent(100)}}
}

// actsEdited is what somebody made of the declaration after the crash: something
// else is replaced, something else updated, one is gone, one new.
func (sc *scenario) actsEdited() wants {
	_, edited := sc.acts()
	edited[state.Key{Kind: "vm", Name: "n1"}].Range = "range2"
	edited[state.Key{Kind: "net", Name: "n1"}].Size = 3
	edited.remove(state.Key{Kind: "app", Name: "n1"})
	edited[state.Key{Kind: "net", Name: "n9"}] = &want{piece: piece{Range: "range0", Size: 1}}
	return edited
}

// prepareActs makes a store, and a world beside it, in which everything is as
// before the sync.
func (c *crashes) prepareActs(t *testing.T, s *Suite) *walk {
	t.Helper()
	w := s.newWalk(t, 0)
	before, _ := c.acts()
	c.syncActs(t, w, before, "before")
	return w
}

// measureActs runs the sync to its end, and returns how many steps it has and how
// long it takes.
func (c *crashes) measureActs(t *testing.T, s *Suite) (steps int64, typical time.Duration) {
	t.Helper()
	w := c.prepareActs(t, s)
	steps, typical = c.live(t, w.store, job{Do: "act", Outside: w.dir, Key: w.digestKey})
	_, after := c.acts()
	serial := w.mustLook(t).head.Serial
	c.syncActs(t, w, after, "measured")
	require.Equal(t, serial, w.mustLook(t).head.Serial, "there was something left to do")
	return steps, typical
}

// runActs kills one sync, at a step or after a while, and looks at what is left.
// Then it is killed again, or taken back, or edited, or none of that. And then it
// runs to its end.
func (c *crashes) runActs(t *testing.T, s *Suite, j job, after time.Duration) {
	t.Helper()
	w := c.prepareActs(t, s)
	what := c.killActs(t, w, j, after)
	c.turns++
	switch c.turns % 4 {
	case 1:
		what += ", " + c.killActs(t, w, job{KillAt: 1 + c.random.Int64N(40)}, 0)
	case 2:
		before, _ := c.acts()
		c.syncActs(t, w, before, what+", taken back")
	case 3:
		c.syncActs(t, w, c.actsEdited(), what+", edited")
	}
	c.endActs(t, w, what)
}

// endActs brings everything to the end that was declared, after a crash.
func (c *crashes) endActs(t *testing.T, w *walk, what string) {
	t.Helper()
	_, after := c.acts()
	if c.syncActs(t, w, after, what) {
		w.wants = after
		require.NoError(t, w.resolve(c.random), "%s\n%s", what, strings.Join(w.log, "\n"))
		_, after = c.acts()
		require.False(t, c.syncActs(t, w, after, what+", resolved"), "it is still uncertain: %s", what)
	}
	require.NoError(t, w.hasHistory(), what)
	now := w.mustLook(t)
	there := map[string]int{}
	for _, thing := range now.things {
		there[thing.Key]++
	}
	for _, record := range now.list {
		if !w.isStored(record.Kind) {
			require.Equal(t, 1, there[record.String()], "of %s there are %d: %s", record.Key, there[record.String()], what)
			delete(there, record.String())
		}
	}
	require.Empty(t, there, "nobody knows of them: %s", what)
}

// killActs kills one sync, and checks what it left.
func (c *crashes) killActs(t *testing.T, w *walk, j job, after time.Duration) (what string) {
	t.Helper()
	a := c.killedAttempt(c.mode)
	a.before = w.mustLook(t)
	j.Do, j.Outside, j.Key = "act", w.dir, w.digestKey
	what = c.kill(t, w.store, j, after)
	w.note("%s", what)
	require.NoError(t, w.judge(a), "%s\n%s", what, strings.Join(w.log, "\n"))
	for _, record := range a.after.list {
		require.NoError(t, w.isAsRecorded(a.after, &record), what)
	}
	if !w.Crash.DeathShows {
		require.NoError(t, w.steal())
	}
	return what
}

// syncActs syncs to the end, and checks that all goes well but for those creates of
// which nobody can know whether they have happened: it tells whether there are any.
func (c *crashes) syncActs(t *testing.T, w *walk, declared wants, what string) (uncertain bool) {
	t.Helper()
	p, err := w.outside.program(actOptions())
	require.NoError(t, err)
	a := &attempt{wants: declared, opts: c.killedAttempt(tusync.KeepGoing).opts, calm: true}
	a.opts.AllowEmpty = true
	w.note("%s", what)
	require.NoError(t, w.attempt(p, a), "%s\n%s", what, strings.Join(w.log, "\n"))
	for _, change := range a.result.Changes {
		key := change.Change.Key()
		record := a.before.records[key]
		if isUncertain(&record) && change.Change.Op() != diff.OpOrphan {
			var unknown *tusync.UncertainError
			require.ErrorAs(t, change.Err, &unknown, "%s: %s", key, what)
			require.Equal(t, key, unknown.Key)
			uncertain = true
			continue
		}
		require.Equal(t, tusync.Done, change.Status, "%s of %s: %v: %s", change.Change.Op(), key, change.Err, what)
	}
	for _, record := range a.after.list {
		open := isUncertain(&record) || record.Orphaned // nobody has asked what became of it
		require.True(t, open || pendingOf(&record, diff.OpCreate) == nil, "%s: %s", what, show(record))
	}
	return uncertain
}

// isAsRecorded checks that a thing is what its record says if that doesn't say that
// an act was begun.
func (w *walk) isAsRecorded(now *snapshot, record *state.Record) error {
	begun := func(p state.Pending) bool { return p.Op != string(diff.OpDeploy) && p.Attempts > 0 }
	if w.isStored(record.Kind) || w.lacks(Declarations) || slices.ContainsFunc(record.Pending, begun) {
		return nil
	}
	resource, err := w.declared(w.t.Context(), record.Checksum)
	if err != nil {
		return err
	}
	recorded, err := pieceOf(resource.Config)
	if err != nil {
		return err
	}
	real, err := pieceOf(now.things[record.ID].Config)
	if err == nil && (real.Range != recorded.Range || real.Size != recorded.Size) {
		err = fmt.Errorf("an act that isn't recorded: %s is %+v, and its record says %+v: %s", record.Key, real, recorded, show(*record))
	}
	return err
}

// mustLook reads everything.
func (w *walk) mustLook(t *testing.T) *snapshot {
	t.Helper()
	now, err := w.look(t.Context())
	require.NoError(t, err)
	return now
}

// leftoversBesideActs plants what a crash leaves in the store where acts were
// interrupted.
func (sc scenario) leftoversBesideActs(t *testing.T, s *Suite) {
	c := &crashes{scenario: sc, mode: tusync.KeepGoing, random: rand.New(rand.NewPCG(6, uint64(len(sc.name))))}
	w := c.prepareActs(t, s)
	what := c.killActs(t, w, job{KillAt: 1 + c.random.Int64N(40)}, 0)
	before := w.mustLook(t)
	for _, name := range slices.Sorted(maps.Keys(s.Crash.Leftovers)) {
		s.Crash.Leftovers[name](t, w.address, w.scope)
		require.Equal(t, before, w.mustLook(t), "%s, then %s was planted", what, name)
	}
	c.endActs(t, w, what+", with leftovers")
}
