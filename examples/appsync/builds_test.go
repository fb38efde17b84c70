package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/appsync"
	"github.com/trueup-go/trueup/sync/filesyncer"
	"github.com/trueup-go/trueup/sync/synccli"
)

// shop is a copy of the demo that the program works on.
type shop struct {
	*testing.T
	dir string
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{t, filepath.Join(t.TempDir(), "shop")}
	copyApp(t, "demo", s.dir)
	return s
}

func (s *shop) run(ctx context.Context, args ...string) (code int, out string) {
	s.Helper()
	var both bytes.Buffer
	code = run(ctx, append(args, s.dir), synccli.Stdio{Out: &both, Err: &both, User: "tester"})
	return code, both.String()
}

// A build that is broken off is begun again by the next sync.
func TestABuildThatIsBrokenOff(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int)
	go func() {
		code, _ := s.run(ctx, "sync", "--target", "component/image", "--build", "touch started; exec sleep 600")
		ended <- code
	}()
	require.Eventually(t, func() bool {
		_, err := os.Stat(filepath.Join(s.dir, "started"))
		return err == nil
	}, 30*time.Second, 10*time.Millisecond)
	cancel()
	require.Equal(t, 1, <-ended)
	code, out := s.run(t.Context(), "sync", "--target", "component/image", "--build", "true")
	require.Zero(t, code, out)
	require.Contains(t, out, "No changes: 1 as declared.\nto be built: image\nbuilt image\n")
}

// A crash after the sync and before the builds loses none of them: they were noted
// before.
func TestBuildsAreNotedFirst(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	config, err := appsync.Load(os.DirFS(s.dir), nil)
	require.NoError(t, err)
	scope := state.Scope{Org: "default", App: "shop"}
	backend, err := filesyncer.New(filepath.Join(s.dir, ".trueup"), scope, nil)
	require.NoError(t, err)
	engine, err := sync.New(backend, appsync.Kinds(), nil)
	require.NoError(t, err)
	crash := errors.New("the power failed")
	ctx := appsync.SetAccountContext(appsync.SetOrgContext(t.Context(), "default"), "tester")
	err = appsync.New(&schedulingSyncer{crashing{engine, crash}, newBuildLog(s.dir, scope)}, config).Sync(ctx)
	require.ErrorIs(t, err, crash)

	code, out := s.run(t.Context(), "sync", "--build", "true")
	require.Zero(t, code, out)
	require.Contains(t, out, "No changes: 17 as declared.\nto be built: api, cache, database, image, ingress, migrate\n")
}

// crashing is a syncer whose answers get lost.
type crashing struct {
	sync.Syncer
	err error
}

func (c crashing) Apply(ctx context.Context, plan *sync.Plan) (*sync.Result, error) {
	if _, err := c.Syncer.Apply(ctx, plan); err != nil {
		return nil, err
	}
	return nil, c.err
}

// A log that can't be written stops the sync before it has done anything.
func TestBuildsThatCannotBeNoted(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	require.NoError(t, os.MkdirAll(filepath.Join(s.dir, ".trueup", "builds.jsonl"), 0o700))
	code, out := s.run(t.Context(), "sync", "--build", "true")
	require.Equal(t, 1, code)
	require.Contains(t, out, "builds.jsonl: is a directory")
	_, out = s.run(t.Context(), "state")
	require.Contains(t, out, "Nothing is recorded")
}

// What a build writes is told if it fails: the end of it, if it is long.
func TestTheEndOfWhatABuildWrites(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	_, out := s.run(t.Context(), "sync", "--target", "component/image", "--build", "yes 'too long' | head -n 10000; echo 'the end' >&2; exit 7")
	require.Contains(t, out, "the build of component/image failed: exit status 7\n")
	require.Contains(t, out, "too long\nthe end\n")
	require.Less(t, len(out), 10000)
}
