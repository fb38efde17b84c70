package syncertest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// jobVariable is the environment variable that makes a test binary do a job in
// place of its tests.
const jobVariable = "TRUEUP_SYNCERTEST_JOB"

// job is what a process is started for.
type job struct {
	// Test is the test that started it, and that must call Run again.
	Test    string
	Do      string // "sync", "act", "hold", "compete", "keep" or "unlock"
	Address string
	Scope   state.Scope

	Scenario string
	Mode     tusync.FailureMode
	KillAt   int64 // the step at which the process kills itself; 0 is never

	Outside string // the directory of what Handlers act on
	Key     []byte // for digests: to be kept, or to be used

	Side, Round int    // of a competition
	Marker      string // a file that is there while somebody is inside
}

// jobOfProcess returns the job that this process was started for, if it was.
func jobOfProcess(t *testing.T) (*job, bool) {
	t.Helper()
	text := os.Getenv(jobVariable)
	if text == "" {
		return nil, false
	}
	var j job
	require.NoError(t, json.Unmarshal([]byte(text), &j))
	return &j, j.Test == t.Name()
}

// run does the job and ends the process.
func (j *job) run(s *Suite) {
	do := map[string]func(context.Context, *Suite) error{
		"sync": j.sync, "act": j.act, "hold": j.hold, "compete": j.compete, "keep": j.keep, "unlock": j.unlock,
	}[j.Do]
	if err := do(context.Background(), s); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	os.Exit(0)
}

// answer tells the parent something.
func answer(format string, args ...any) { fmt.Printf(answerMark+format+"\n", args...) }

const answerMark = "syncertest: "

// sync runs the sync of a scenario, and dies at the step that was asked for.
func (j *job) sync(ctx context.Context, s *Suite) error {
	var steps atomic.Int64
	b, err := j.stepping(s, j.killing(&steps))
	if err != nil {
		return err
	}
	sc, err := scenarioOf(j.Scenario)
	if err != nil {
		return err
	}
	answer("begin")
	began := time.Now()
	if err := sc.sync(ctx, s, b, j.Mode); err != nil {
		return err
	}
	answer("steps %d %d", steps.Load(), time.Since(began))
	return nil
}

// killing returns a step that kills this process if it is the one to be killed at.
func (j *job) killing(steps *atomic.Int64) func() {
	return func() {
		if steps.Add(1) == j.KillAt {
			killMyself()
		}
	}
}

// stepping opens a backend that calls step at every boundary.
func (j *job) stepping(s *Suite, step func()) (tusync.Backend, error) {
	var inner tusync.Backend
	var err error
	if s.Crash.Steps != nil {
		inner, err = s.Crash.Steps(j.Address, j.Scope, step)
	} else {
		inner, err = s.Open(j.Address, j.Scope)
	}
	if err != nil {
		return nil, err
	}
	b := watch(inner)
	b.on = func(string) error { step(); return nil }
	b.done = step
	return b, nil
}

// sync does what the scenario is about, in small batches.
func (sc *scenario) sync(ctx context.Context, s *Suite, b tusync.Backend, mode tusync.FailureMode) error {
	recorded := map[state.Key]state.Record{}
	for r, err := range b.Records(ctx) {
		if err != nil {
			return err
		}
		recorded[r.Key] = r
	}
	e, err := tusync.New(b, s.Kinds, &tusync.Options{BatchSize: 3})
	if err != nil {
		return err
	}
	p, err := e.Plan(ctx, &tusync.Desired{Resources: sc.after(s)}, sc.options(s, mode, recorded))
	if err != nil {
		return err
	}
	_, err = e.Apply(ctx, p)
	return err
}

// killMyself ends the process as kill -9 does, in the middle of what it does.
func killMyself() {
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "can't kill myself:", err)
		os.Exit(4)
	}
	select {} // the signal is on its way
}

// hold takes the lease and keeps it; asked to, it commits.
func (j *job) hold(ctx context.Context, s *Suite) error {
	b, err := s.Open(j.Address, j.Scope)
	if err != nil {
		return err
	}
	tx, head, err := b.Begin(ctx, "the holder")
	if err != nil {
		return err
	}
	var records []state.Record
	for r, err := range b.Records(ctx) {
		if err != nil {
			return err
		}
		records = append(records, r)
	}
	answer("held")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		head.Serial++
		delta, err := deltaOf(head, records, s.Resource(0, 100+int(head.Serial)))
		if err != nil {
			return err
		}
		_, err = tx.Commit(ctx, delta)
		switch {
		case errors.Is(err, tusync.ErrLeaseLost):
			answer("lost")
		case err != nil:
			return err
		default:
			answer("committed")
		}
	}
	return tx.Close(ctx)
}

// deltaOf returns a delta that adds a resource to records.
func deltaOf(head state.Head, records []state.Record, r state.Resource) (state.Delta, error) {
	sum, err := r.Checksum()
	if err != nil {
		return state.Delta{}, err
	}
	id := state.DeriveID(r.String())
	record := state.Record{Key: r.Key, ID: id, ConfigID: id, Checksum: sum, After: r.Edges()}
	all := byKey(records)
	all[r.Key] = record
	head, err = state.Seal(head, sorted(all))
	return state.Delta{Head: head, Records: []state.Record{record}, Declared: []state.Resource{r}}, err
}
