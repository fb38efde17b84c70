package syncertest

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// Every step is an event, in order: each change starts, is committed, ends.
func everyStepIsAnEvent(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b := store.open(t)
	var events []tusync.Event
	e := s.engine(t, b, &tusync.Options{BatchSize: 2, OnEvent: func(e tusync.Event) { events = append(events, e) }})
	result := trueUp(t, e, s.resources(0, 7, 1), &tusync.PlanOptions{OnFailure: tusync.KeepGoing})

	require.Equal(t, tusync.EventBegin, events[0].Type)
	last := events[len(events)-1]
	require.Equal(t, tusync.EventFinish, last.Type)
	require.Equal(t, result.Head.Serial, last.Serial)
	require.Equal(t, []int{7, 7}, []int{last.Done, last.Total})
	started, ended, serial := map[state.Key]bool{}, map[state.Key]bool{}, int64(0)
	for i, event := range events {
		require.Equal(t, i+1, event.Seq)
		switch event.Type {
		case tusync.EventStart:
			require.Equal(t, diff.OpCreate, event.Op)
			started[event.Key] = true
		case tusync.EventCommit:
			serial++
			require.Equal(t, serial, event.Serial)
		case tusync.EventEnd:
			require.True(t, started[event.Key])
			require.False(t, ended[event.Key])
			require.Equal(t, tusync.Done, event.Status)
			ended[event.Key] = true
			require.Len(t, ended, event.Done)
		}
	}
	require.Len(t, ended, 7)
	head, err := b.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, serial, head.Serial)
}

// When its context is cancelled a run starts nothing new, records what it did,
// and gives the lease back.
func cancelledWork(t *testing.T, s *Suite) {
	store := s.fresh(t)
	declared := s.resources(0, 9, 1)
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	// What is handed over to a Runner goes on until that hears of it.
	here := &watched{Backend: store.open(t)}
	e := s.engine(t, here, &tusync.Options{BatchSize: 2, OnEvent: func(e tusync.Event) {
		if e.Type == tusync.EventStart && e.Done >= 2 {
			cancel(enough) // in the middle of the second batch or later
		}
	}})
	result, err := e.Apply(ctx, plan(t, e, declared, &tusync.PlanOptions{OnFailure: tusync.KeepGoing}))
	require.ErrorIs(t, err, enough)
	requireOneEndEach(t, result)
	require.Positive(t, result.Count(tusync.Done))
	require.Positive(t, result.Count(tusync.NotAttempted))
	records := byKey(collect(t, store.open(t)))
	require.Len(t, records, result.Count(tusync.Done))
	for _, change := range result.Changes {
		_, ok := records[change.Change.Key()]
		require.Equal(t, change.Status == tusync.Done, ok, "%s is %s", change.Change.Key(), change.Status)
	}
	trueUp(t, s.engine(t, store.open(t), nil), declared, nil)
	requireDeclared(t, store.open(t), declared)
}
