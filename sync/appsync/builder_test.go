package appsync_test

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync/appsync"
)

// scripted is a Builder whose builds go as told: a phase per poll, and the last one
// from then on.
type scripted struct {
	phases  map[string][]appsync.BuildPhase
	started []string
	polled  [][]string
	err     func(poll int) error
}

func (s *scripted) Start(_ context.Context, components []appsync.ComponentState) error {
	s.started = names(components)
	return nil
}

func (s *scripted) Poll(_ context.Context, components []appsync.ComponentState) ([]appsync.Build, error) {
	s.polled = append(s.polled, names(components))
	if s.err != nil {
		if err := s.err(len(s.polled)); err != nil {
			return nil, err
		}
	}
	var builds []appsync.Build
	for _, c := range components {
		phase := s.phases[c.Name][0]
		if len(s.phases[c.Name]) > 1 {
			s.phases[c.Name] = s.phases[c.Name][1:]
		}
		build := appsync.Build{Component: c.Name, Phase: phase}
		if phase == appsync.BuildFailed {
			build.Message = "exit status 1"
		}
		builds = append(builds, build)
	}
	return builds, nil
}

func components(names ...string) []appsync.ComponentState {
	var all []appsync.ComponentState
	for _, name := range names {
		all = append(all, appsync.ComponentState{Name: name})
	}
	return all
}

func TestRunBuildsSeesEachToItsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const q, r, d, f = appsync.BuildQueued, appsync.BuildRunning, appsync.BuildDone, appsync.BuildFailed
		builder := &scripted{phases: map[string][]appsync.BuildPhase{"a": {q, r, r, d}, "b": {r, f}, "c": {q, q, q, q, r, f}}}
		var seen []string
		err := appsync.RunBuilds(t.Context(), builder, components("a", "b", "c"), func(b appsync.Build) {
			seen = append(seen, b.Component+" "+string(b.Phase))
		})
		require.EqualError(t, err, "the build of component/b failed: exit status 1\nthe build of component/c failed: exit status 1")
		var failed *appsync.BuildError
		require.ErrorAs(t, err, &failed)
		require.Equal(t, []string{"a", "b", "c"}, builder.started)
		require.Equal(t, []string{
			"a queued", "b running", "c queued", "a running", "b failed", "a done", "c running", "c failed",
		}, seen)
		require.Equal(t, []string{"c"}, builder.polled[len(builder.polled)-1], "what has ended is not asked for")
	})
}

func TestRunBuildsOfNothing(t *testing.T) {
	t.Parallel()
	require.NoError(t, appsync.RunBuilds(t.Context(), nil, nil, nil))
}

func TestRunBuildsIsPatient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		builder := &scripted{
			phases: map[string][]appsync.BuildPhase{"a": {appsync.BuildDone}},
			err: func(poll int) error {
				if poll < 4 {
					return syscall.ECONNRESET
				}
				return nil
			},
		}
		require.NoError(t, appsync.RunBuilds(t.Context(), builder, components("a"), nil))

		builder.err = func(int) error { return syscall.ECONNRESET }
		require.ErrorIs(t, appsync.RunBuilds(t.Context(), builder, components("a"), nil), syscall.ECONNRESET)

		builder.polled = nil
		builder.phases["a"] = []appsync.BuildPhase{appsync.BuildQueued, appsync.BuildRunning, appsync.BuildDone}
		builder.err = func(poll int) error { // never many in a row
			if poll%5 != 0 {
				return syscall.ECONNRESET
			}
			return nil
		}
		require.NoError(t, appsync.RunBuilds(t.Context(), builder, components("a"), nil))

		gone := errors.New("there is no such build")
		builder.err = func(int) error { return gone }
		builder.polled = nil
		require.ErrorIs(t, appsync.RunBuilds(t.Context(), builder, components("a"), nil), gone)
		require.Len(t, builder.polled, 1)
	})
}

// mute is a Builder that doesn't answer what it is asked.
type mute struct{ scripted }

func (mute) Poll(context.Context, []appsync.ComponentState) ([]appsync.Build, error) { return nil, nil }

func TestRunBuildsWantsAnAnswer(t *testing.T) {
	t.Parallel()
	err := appsync.RunBuilds(t.Context(), &mute{}, components("a", "b"), nil)
	require.ErrorContains(t, err, "asked for 2 builds, told of 0")
}

func TestRunBuildsEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		builder := &scripted{phases: map[string][]appsync.BuildPhase{"a": {appsync.BuildFailed}, "b": {appsync.BuildRunning}}}
		err := appsync.RunBuilds(ctx, builder, components("a", "b"), func(b appsync.Build) {
			if b.Phase == appsync.BuildRunning {
				cancel()
			}
		})
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorContains(t, err, "wait for the builds")
		var failed *appsync.BuildError
		require.ErrorAs(t, err, &failed)
	})
}
