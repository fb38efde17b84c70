package sync

import (
	"context"
	"errors"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
)

// flaky is a Backend whose calls fail a few times.
type flaky struct {
	Backend

	fails int
	err   error
	calls int
}

func (f *flaky) fail() error {
	f.calls++
	if f.calls <= f.fails {
		return f.err
	}
	return nil
}

func (f *flaky) Head(context.Context) (state.Head, error) { return state.Head{Serial: 7}, f.fail() }

func (f *flaky) Records(context.Context) iter.Seq2[state.Record, error] {
	return func(yield func(state.Record, error) bool) {
		if err := f.fail(); err != nil {
			yield(state.Record{}, err)
			return
		}
		if yield(state.Record{ID: "1"}, nil) {
			yield(state.Record{}, f.err)
		}
	}
}

func (f *flaky) Declared(context.Context, []state.Checksum) (map[state.Checksum]state.Resource, error) {
	return nil, f.fail()
}

func (f *flaky) Begin(context.Context, string) (Tx, state.Head, error) {
	return nil, state.Head{}, f.fail()
}

// What fails for a while is called again; what fails for good, or because somebody
// else is at work, is not.
func TestABackendThatFailsForAWhileIsCalledAgain(t *testing.T) {
	t.Parallel()
	calls := map[string]func(t *testing.T, p patient) error{
		"Head": func(t *testing.T, p patient) error {
			head, err := p.Head(t.Context())
			require.EqualValues(t, 7, head.Serial)
			return err
		},
		"Declared": func(t *testing.T, p patient) error {
			_, err := p.Declared(t.Context(), nil)
			return err
		},
		"Begin": func(t *testing.T, p patient) error {
			_, _, err := p.Begin(t.Context(), "")
			return err
		},
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				for _, c := range []struct {
					fails, calls int
					err, want    error
				}{
					{0, 1, errBroken, nil},
					{3, 4, errBroken, nil},
					{9, 4, errBroken, errBroken},
					{9, 1, ErrStale, ErrStale},
					{9, 1, &LockedError{}, ErrLocked},
				} {
					began := time.Now()
					f := &flaky{fails: c.fails, err: c.err}
					require.ErrorIs(t, call(t, patient{f, 3}), c.want)
					require.Equal(t, c.calls, f.calls)
					require.Equal(t, c.calls > 1, time.Since(began) > 0, "there is a pause")
				}
			})
		})
	}
}

func TestRecordsAreReadAgainFromTheStartOrNotAtAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &flaky{fails: 2, err: errBroken}
		var ids []string
		var errs []error
		for r, err := range (patient{f, 3}).Records(t.Context()) {
			ids, errs = append(ids, r.ID), append(errs, err)
		}
		require.Equal(t, []string{"1", ""}, ids)
		require.NoError(t, errs[0])
		require.ErrorIs(t, errs[1], errBroken)
		require.Equal(t, 3, f.calls)
		for _, err := range (patient{&flaky{fails: 9, err: errBroken}, 1}).Records(t.Context()) {
			require.True(t, errors.Is(err, errBroken))
		}
	})
}
