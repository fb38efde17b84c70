package syncertest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// Two processes sync one scope at once, again and again: never both at a time,
// and nothing of either is lost.
func twoProcesses(t *testing.T, s *Suite) {
	store := s.fresh(t)
	marker := filepath.Join(t.TempDir(), "inside")
	var serial int64
	for round := 1; round <= Soak(100); round++ {
		var sides [2]*process
		for side := range sides {
			sides[side] = store.start(t, job{Do: "compete", Side: side, Round: round, Marker: marker})
			require.Equal(t, "ready", sides[side].hear(), "%s", &sides[side].stderr)
		}
		for _, p := range sides {
			p.say(t, "go")
		}
		for _, p := range sides {
			said := p.hear()
			require.False(t, p.end(t))
			var commits int64
			_, err := fmt.Sscanf(said, "commits %d", &commits)
			require.NoError(t, err, said)
			serial += commits
		}
		c := &crashes{}
		now := c.look(t, store)
		require.Equal(t, serial, now.head.Serial, "a commit was lost, or recorded twice")
		for side := range sides {
			for _, r := range competition(s, side, round) {
				require.Contains(t, now.records, r.Key, "what one of them declared is lost")
			}
		}
		require.Len(t, now.records, 3+2*round)
	}
}

// competition is what a side declares: something that both do, and something of
// its own.
func competition(s *Suite, side, round int) []state.Resource {
	own := s.Resource(2*round+side+1, 1)
	own.After = nil
	return append(s.resources(0, 3, round+side), own)
}

func (j *job) compete(ctx context.Context, s *Suite) error {
	inner, err := s.Open(j.Address, j.Scope)
	if err != nil {
		return err
	}
	b := watch(inner)
	b.on = func(call string) error {
		if call == "Close" {
			return os.Remove(j.Marker)
		}
		return nil
	}
	commits := 0
	e, err := tusync.New(&marking{watched: b, marker: j.Marker}, s.Kinds, &tusync.Options{BatchSize: 2, OnEvent: func(e tusync.Event) {
		if e.Type == tusync.EventCommit {
			commits++
		}
	}})
	if err != nil {
		return err
	}
	answer("ready")
	bufio.NewScanner(os.Stdin).Scan()
	for {
		p, err := e.Plan(ctx, &tusync.Desired{Resources: competition(s, j.Side, j.Round)}, &tusync.PlanOptions{Wait: true, OnFailure: tusync.KeepGoing})
		if err != nil {
			return err
		}
		_, err = e.Apply(ctx, p)
		switch {
		case errors.Is(err, tusync.ErrStale): // the other one was first
		case err != nil:
			return err
		default:
			answer("commits %d", commits)
			return nil
		}
	}
}

// marking leaves a mark while somebody holds the lease.
type marking struct {
	*watched
	marker string
}

// Begin takes the lease, and makes sure that nobody else has it.
func (b *marking) Begin(ctx context.Context, owner string) (tusync.Tx, state.Head, error) {
	tx, head, err := b.watched.Begin(ctx, owner)
	if err != nil {
		return nil, head, err
	}
	mark, err := os.OpenFile(b.marker, os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, head, fmt.Errorf("two hold the lease at once: %w", err)
	}
	return tx, head, mark.Close()
}

// A process that died with the lease stands in nobody's way: at once where its
// death shows, else when the lease has lapsed.
func killedHolder(t *testing.T, s *Suite) {
	turns, patience := Soak(100), 2*time.Second
	if !s.Crash.DeathShows {
		turns, patience = Soak(4), tusync.LeaseTTL+5*time.Second
	}
	store := s.fresh(t)
	for range turns {
		p := store.start(t, job{Do: "hold"})
		require.Equal(t, "held", p.hear(), "%s", &p.stderr)
		_, _, err := store.open(t).Begin(t.Context(), "another")
		requireLocked(t, err, store.scope, "the holder")
		require.True(t, p.kill())
		p.settle()
		began := time.Now()
		tx, _, err := store.open(t).Begin(t.Context(), "another")
		for again := time.NewTicker(10 * time.Millisecond); err != nil; <-again.C {
			requireLocked(t, err, store.scope, "the holder")
			require.Less(t, time.Since(began), patience, "%v", err)
			tx, _, err = store.open(t).Begin(t.Context(), "another")
		}
		require.NoError(t, tx.Close(t.Context()))
		t.Logf("free after %s", time.Since(began))
	}
}

// A process that is stopped, and goes on when somebody else has its lease, finds
// that it lost it, and can do no harm.
func stoppedHolder(t *testing.T, s *Suite) {
	store := s.fresh(t)
	m := newModel(store.scope)
	m.sync(t, store, store.open(t), s.resources(0, 6, 9))
	p := store.start(t, job{Do: "hold"})
	require.Equal(t, "held", p.hear(), "%s", &p.stderr)
	goOn, err := stop(p.cmd.Process)
	require.NoError(t, err)
	p.say(t, "commit")
	_, _, err = store.open(t).Begin(t.Context(), "another")
	requireLocked(t, err, store.scope, "the holder")
	s.Lapse(t, store.address)
	m.sync(t, store, store.open(t), s.resources(3, 9, 10))
	require.NoError(t, goOn())
	require.Equal(t, "lost", p.hear(), "%s", &p.stderr)
	m.matches(t, store, store.open(t))
	p.say(t, "commit")
	require.Equal(t, "lost", p.hear(), "%s", &p.stderr)
	require.False(t, p.end(t))
	m.matches(t, store, store.open(t))
	m.sync(t, store, store.open(t), s.resources(0, 9, 11))
}
