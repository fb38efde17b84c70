package envsyncer_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/operatorsync/internal/envfile"
	"github.com/trueup-go/trueup/examples/operatorsync/internal/envsyncer"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// three are the files of three apps, recorded at one version, with and without an
// older line.
func three(t *testing.T) *server {
	t.Helper()
	s := newServer(t, map[string]string{"a": typed(""), "b": "TYPE=recipe", "c": "OPERATOR_SYNC_VERSION='0'\nTYPE=recipe\n"})
	s.record(t, at("1"))
	s.edits = nil
	return s
}

func at(version string) map[string]string {
	return map[string]string{"a": version, "b": version, "c": version}
}

// versions returns what the files say.
func (s *server) versions(t *testing.T) map[string]string {
	t.Helper()
	versions := map[string]string{}
	for domain := range at("") {
		f, err := envfile.Parse([]byte(s.text(t, domain)))
		require.NoError(t, err)
		versions[domain] = f.Version()
	}
	return versions
}

// script records another version of three apps.
func script(ctx context.Context, b *envsyncer.Backend, version string) error {
	w, err := begin(ctx, b)
	if err != nil {
		return err
	}
	return errors.Join(w.commit(ctx, at(version)), w.tx.Close(ctx))
}

// steps returns what the script does to files, in its order.
func steps(t *testing.T) []string {
	t.Helper()
	s := three(t)
	real, err := filepath.EvalSymlinks(s.dir)
	require.NoError(t, err)
	var steps []string
	require.NoError(t, script(t.Context(), s.stepping(t, func(step string) {
		steps = append(steps, strings.NewReplacer(s.dir, "", real, "").Replace(step))
	}), "2"))
	return steps
}

var errKilled = errors.New("killed")

// killAt runs the script until a step, and ends there with nothing tidied up.
func killAt(t *testing.T, s *server, at int) (err error) {
	t.Helper()
	n := 0
	b := s.stepping(t, func(string) {
		if n++; n > at {
			panic(errKilled)
		}
	})
	defer func() {
		if r := recover(); r != nil {
			err, _ = r.(error)
			lapse(t, s.address)
		}
	}()
	return script(t.Context(), b, "2")
}

// A commit of several apps is of all or none: for whoever reads after a crash, and in the
// files once somebody has written.
func TestACrashLosesNothing(t *testing.T) {
	t.Parallel()
	all := steps(t)
	committed := slices.Index(all, "committed")
	require.Positive(t, committed)
	require.Contains(t, all[committed:], "rename to /b.env")
	for n, step := range all {
		s := three(t)
		require.ErrorIs(t, killAt(t, s, n), errKilled)
		want := at("1")
		if n >= committed {
			want = at("2")
		}
		versions, _ := s.recorded(t)
		require.Equal(t, want, versions, step)
		before, err := s.open(t).Head(t.Context())
		require.NoError(t, err)

		w, err := begin(t.Context(), s.open(t))
		require.NoError(t, err, step)
		require.Equal(t, before, w.head, step)
		require.Equal(t, want, s.versions(t), step)
		require.NoError(t, w.tx.Close(t.Context()), step)
		require.Empty(t, s.edits, "nobody has edited anything: "+step)
		left, err := os.ReadDir(filepath.Join(s.dir, envsyncer.Dir))
		require.NoError(t, err)
		require.Len(t, left, 2, "records and .gitignore: "+step)
	}
}

// Nor does a crash leave a file of ours that is empty.
func TestACrashLeavesNoEmptyGitignore(t *testing.T) {
	t.Parallel()
	for n := range 6 {
		s := newServer(t, nil)
		require.ErrorIs(t, killAt(t, s, n), errKilled)
		s.record(t, at("1"))
		text, err := os.ReadFile(filepath.Join(s.dir, envsyncer.Dir, ".gitignore"))
		require.NoError(t, err)
		require.Equal(t, "*\n", string(text), n)
	}
}

// Who hangs, loses the lease, and goes on, writes nothing any more: wherever he hung, and
// whether the next one is done or at work. What he committed before counts, in the
// sidecar and in the files.
func TestAHungWriterWritesNothing(t *testing.T) {
	t.Parallel()
	all := steps(t)
	committed := slices.Index(all, "committed")
	for n, step := range all {
		for _, done := range []bool{false, true} {
			s := three(t)
			goOn := hangAt(t, s, n)
			lapse(t, s.address)
			noted, release := make(chan struct{}), make(chan struct{})
			next := make(chan error, 1)
			go func() {
				first := true
				next <- script(context.WithoutCancel(t.Context()), s.stepping(t, func(step string) {
					if step == "commit" && first && !done {
						first = false
						close(noted)
						<-release
					}
				}), "3")
			}()
			if done {
				require.NoError(t, <-next, step)
			} else {
				select {
				case <-noted: // it counts from the commit on
				case err := <-next:
					require.NoError(t, err, step)
				}
			}
			before, err := os.ReadFile(s.note())
			require.Equal(t, done, errors.Is(err, os.ErrNotExist))
			files := s.versions(t)
			slow := goOn()
			if n < committed {
				require.ErrorIs(t, slow, sync.ErrLeaseLost, step)
			} else {
				require.NoError(t, slow, step)
			}
			after, err := os.ReadFile(s.note())
			require.Equal(t, done, errors.Is(err, os.ErrNotExist), step)
			require.Equal(t, before, after, step)
			require.Equal(t, files, s.versions(t), step)
			if close(release); !done {
				require.NoError(t, <-next, step)
			}
			require.Equal(t, at("3"), s.versions(t), step)
			versions, _ := s.recorded(t)
			require.Equal(t, at("3"), versions, step)
		}
	}
}

// hangAt runs the script up to a step, at which it hangs until it is told to go on.
func hangAt(t *testing.T, s *server, at int) (goOn func() error) {
	t.Helper()
	stopped, release, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	n := 0
	b := s.stepping(t, func(string) {
		if n++; n == at+1 {
			close(stopped)
			<-release
		}
	})
	go func() { ended <- script(context.WithoutCancel(t.Context()), b, "2") }()
	<-stopped
	return func() error {
		close(release)
		return <-ended
	}
}

// A commit counts even if a file can't be written then: it is tried again with the next
// commit, when the Tx closes, and by the next writer. Until then readers know.
func TestAFailedWriteIsTriedAgain(t *testing.T) {
	t.Parallel()
	for name, again := range map[string]func(t *testing.T, s *server, w *writer){
		"with the next commit": func(t *testing.T, s *server, w *writer) {
			require.ErrorContains(t, w.commit(t.Context(), map[string]string{"b": "3"}), `"2" is recorded, but not yet in `+s.path("a"))
			s.put(t, "a", typed("1"))
			require.Error(t, w.commit(t.Context(), map[string]string{"b": "3 4"}), "it fails, and has tried again before")
			require.Equal(t, typed("2"), s.text(t, "a"))
			require.NoError(t, w.tx.Close(t.Context()))
		},
		"on Close": func(t *testing.T, s *server, w *writer) {
			s.put(t, "a", typed("1"))
			require.NoError(t, w.tx.Close(t.Context()))
		},
		"by the next writer": func(t *testing.T, s *server, w *writer) {
			require.ErrorContains(t, w.tx.Close(t.Context()), `"2" is recorded, but not yet in `+s.path("a"))
			require.NoError(t, w.tx.Close(t.Context()), "it is closed")
			_, err := begin(t.Context(), s.open(t))
			require.ErrorContains(t, err, `"2" is recorded, but not yet in `+s.path("a"))
			s.put(t, "a", typed("1"))
			w, err = begin(t.Context(), s.open(t))
			require.NoError(t, err)
			require.NoError(t, w.tx.Close(t.Context()))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := three(t)
			w, err := begin(t.Context(), s.stepping(t, func(step string) {
				if step == "committed" {
					s.put(t, "a", "TYPE")
				}
			}))
			require.NoError(t, err)
			require.NoError(t, w.commit(t.Context(), at("2")))
			versions, _ := s.recorded(t)
			require.Equal(t, at("2"), versions)
			again(t, s, w)
			require.Equal(t, at("2"), s.versions(t))
			require.NoFileExists(t, s.note())
			require.Empty(t, s.edits)
		})
	}
}

// A sidecar may not know whether a commit counts. The note stays until that is known.
func TestTheNoteOfACommitThatIsUncertainStays(t *testing.T) {
	t.Parallel()
	s := three(t)
	b, err := envsyncer.New(s.dir, unsure{s.sidecar(t)}, nil)
	require.NoError(t, err)
	w, err := begin(t.Context(), b)
	require.NoError(t, err)
	require.ErrorIs(t, w.commit(t.Context(), at("2")), errUnsure)
	require.Equal(t, at("1"), s.versions(t))
	versions, _ := s.recorded(t)
	require.Equal(t, at("2"), versions)
	require.Error(t, w.commit(t.Context(), at("3")), "it doesn't follow")
	versions, _ = s.recorded(t)
	require.Equal(t, at("2"), versions)
	require.ErrorIs(t, w.commit(t.Context(), at("2")), errUnsure, "the sidecar knows it again")
	require.NoError(t, w.tx.Close(t.Context()))
	s.record(t, nil)
	require.Equal(t, at("2"), s.versions(t))
	require.Empty(t, s.edits)
}

var errUnsure = errors.New("nobody knows")

// unsure is a sidecar that doesn't know how its commits ended.
type unsure struct{ envsyncer.Sidecar }

func (u unsure) Begin(ctx context.Context, owner string) (sync.Tx, state.Head, error) {
	tx, head, err := u.Sidecar.Begin(ctx, owner)
	return unsureTx{tx}, head, err
}

type unsureTx struct{ sync.Tx }

func (u unsureTx) Commit(ctx context.Context, delta state.Delta) (state.Head, error) {
	if _, err := u.Tx.Commit(ctx, delta); err != nil {
		return state.Head{}, err
	}
	return state.Head{}, errUnsure
}
