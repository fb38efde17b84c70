package sync

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// wrapped is a Handler around another, which has what that one can do.
type wrapped struct{ Handler }

func (w wrapped) Unwrap() Handler { return w.Handler }

// hesitant has the method and says no.
type hesitant struct{ *script }

func (hesitant) Idempotent() bool { return false }

// badFinder answers with something else than what it was asked for.
type badFinder struct {
	*script
	lives []Live
}

func (f badFinder) Find(context.Context, []*diff.Create) []Live {
	if f.lives == nil {
		panic("boom")
	}
	return f.lives
}

func TestAbilitiesAreFoundThroughWrappers(t *testing.T) {
	t.Parallel()
	s := &script{}
	require.True(t, isIdempotent(wrapped{wrapped{idempotent{s}}}))
	require.False(t, isIdempotent(wrapped{hesitant{s}}), "the method's answer counts")
	require.False(t, isIdempotent(wrapped{s}))
	require.False(t, isIdempotent(nil))
	require.True(t, isSettleable(wrapped{finder{script: s}}))
	require.False(t, isSettleable(hesitant{s}))
	_, ok := abilityOf[Observer](wrapped{s})
	require.False(t, ok)
}

func TestSettle(t *testing.T) {
	t.Parallel()
	s := &script{}
	refused := errors.New("access denied")
	lives := map[string]Live{"db": {ID: "9"}, "web": {}, "mail": {Err: refused}}
	old := create("old")
	old.Replaces, old.Recorded = true, &state.Record{Key: old.Key(), ID: "1"}
	lives["old"] = Live{ID: "1"}
	creates := []*diff.Create{create("db"), create("web"), create("mail"), old}
	creates[0].Config = []byte(`{"size":2}`)

	settled := settle(t.Context(), &Kind{Name: "server", Handler: finder{s, func(name string) Live { return lives[name] }}}, creates, nil)
	require.Equal(t, [][]string{{"find db", "find web", "find mail", "find old"}}, s.calls, "all of them at once")
	require.Equal(t, settlement{change: &diff.Update{
		Target:   creates[0].Target,
		Recorded: &state.Record{Key: creates[0].Key(), ID: "9"},
	}}, settled[0], "what was found is made what is declared")
	require.Equal(t, settlement{change: creates[1]}, settled[1], "what was not found is created")
	require.Nil(t, settled[2].change)
	require.ErrorIs(t, settled[2].err, refused)
	require.ErrorIs(t, settled[2].err, ErrUncertain, "it is still not known")
	require.Equal(t, "server/mail: nobody knows whether it exists, and it could not be looked up: access denied", settled[2].err.Error())
	require.Equal(t, settlement{change: old}, settled[3], "what is to be replaced is not what replaces it")

	settled = settle(t.Context(), &Kind{Name: "server", Handler: finder{s, func(name string) Live { return lives[name] }}}, creates[:1],
		holderIn([]state.Record{{Key: state.Key{Kind: "server", Name: "moved"}, ID: "9"}}))
	require.Nil(t, settled[0].change, "what is somebody else's is not touched")
	require.EqualError(t, settled[0].err, "server/db: nobody knows whether it exists, and it could not be looked up: what was found, 9, is recorded as server/moved")

	settled = settle(t.Context(), &Kind{Name: "server", Handler: idempotent{s}}, creates[:1], nil)
	require.Equal(t, []settlement{{change: creates[0]}}, settled)

	settled = settle(t.Context(), &Kind{Name: "server", Handler: hesitant{s}}, creates[:1], nil)
	require.Equal(t, []settlement{{err: &UncertainError{Key: creates[0].Key()}}}, settled)
}

func TestSettleContainsABadFinder(t *testing.T) {
	t.Parallel()
	creates := []*diff.Create{create("db"), create("web")}
	for want, lives := range map[string][]Live{
		`Find of the Handler of kind "server" panicked at uncertain_test.go:`: nil,
		`Find of the Handler of kind "server" returned 1 results, want 2`:     {{ID: "1"}},
	} {
		for _, s := range settle(t.Context(), &Kind{Name: "server", Handler: badFinder{&script{}, lives}}, creates, nil) {
			require.ErrorContains(t, s.err, want)
			require.ErrorIs(t, s.err, ErrUncertain)
			require.Nil(t, s.change)
		}
	}
}

func TestUncertainErrorSaysWhatToDo(t *testing.T) {
	t.Parallel()
	err := &UncertainError{Key: state.Key{Kind: "server", Name: "web"}}
	require.EqualError(t, err, "the create of server/web was interrupted and nobody knows whether it exists: look; if it does, adopt it by its ID, else forget its record")
	require.ErrorIs(t, err, ErrUncertain)
	require.False(t, Retryable(err))

	err.Err = errBroken
	require.ErrorContains(t, err, "was interrupted (connection reset) and nobody knows")
	require.ErrorIs(t, err, errBroken)
	require.True(t, Retryable(errBroken))
	require.False(t, Retryable(err), "the create may not be done again, however it ended")
}
