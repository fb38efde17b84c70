package syncertest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

func keyTests() []test {
	return []test{
		{name: "TheFirstIsKept", run: firstKeyIsKept, needs: DigestKeys},
		{name: "RacersAgree", run: keyRacersAgree, needs: DigestKeys},
		{name: "NeedsNoLease", run: keyNeedsNoLease, needs: DigestKeys},
		{name: "IsNowhereElse", run: keyIsNowhereElse, needs: DigestKeys},
		{name: "EachScopeHasItsOwn", run: keyOfEachScope, needs: DigestKeys},
		{name: "MayBeAnyBytesButNone", run: keyMayBeAnyBytes, needs: DigestKeys},
		{name: "OrUnsupported", run: lacksOrHas(DigestKeys, func(t *testing.T, k tusync.DigestKeeper) error {
			_, err := k.DigestKey(t.Context())
			return err
		})},
	}
}

func testKey(n int) []byte { return bytes.Repeat([]byte{byte(n), 0xff, 0, '\n'}, 8) }

// keep keeps a key, and returns the one that is kept.
func keep(t *testing.T, b tusync.Backend, key []byte) []byte {
	t.Helper()
	kept, err := able[tusync.DigestKeeper](t, b).KeepDigestKey(t.Context(), key)
	require.NoError(t, err)
	return kept
}

func requireKey(t *testing.T, b tusync.Backend, want []byte) {
	t.Helper()
	key, err := able[tusync.DigestKeeper](t, b).DigestKey(t.Context())
	require.NoError(t, err)
	require.Equal(t, want, key)
}

// There is no key at first; then it is the one that was kept first, whoever else
// would keep another, whatever is committed, and whatever is done to what was
// passed in or out.
func firstKeyIsKept(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	requireKey(t, b, nil)
	m.matches(t, store, b)
	given := testKey(1)
	got := keep(t, b, given)
	require.Equal(t, testKey(1), got)
	clear(given)
	clear(got)
	for version := range 3 {
		requireKey(t, b, testKey(1))
		requireKey(t, store.open(t), testKey(1))
		require.Equal(t, testKey(1), keep(t, b, testKey(2)))
		require.Equal(t, testKey(1), keep(t, store.open(t), testKey(3)))
		m.sync(t, store, store.open(t), s.resources(0, 3, version))
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := able[tusync.DigestKeeper](t, b).DigestKey(over)
	require.ErrorIs(t, err, context.Canceled)
	_, err = able[tusync.DigestKeeper](t, b).KeepDigestKey(over, testKey(1))
	require.ErrorIs(t, err, context.Canceled)
}

// Of several that keep a key at once, one does, and all of them get that one.
func keyRacersAgree(t *testing.T, s *Suite) {
	for range Soak(100) {
		store := s.fresh(t)
		type end struct {
			key []byte
			err error
		}
		done := make(chan end, 6)
		for n := range cap(done) {
			keeper := able[tusync.DigestKeeper](t, store.open(t))
			go func() {
				key, err := keeper.KeepDigestKey(t.Context(), testKey(n))
				done <- end{key, err}
			}()
		}
		var one []byte
		for range cap(done) {
			racer := <-done
			require.NoError(t, racer.err)
			if one == nil {
				one = racer.key
			}
			require.Equal(t, one, racer.key)
		}
		require.Len(t, one, len(testKey(0)))
		require.Equal(t, testKey(int(one[0])), one)
		requireKey(t, store.open(t), one)
	}
}

// A key is kept while somebody else writes, and before anything is recorded; the
// writer doesn't notice.
func keyNeedsNoLease(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	tx, head := store.begin(t, b)
	require.Equal(t, testKey(1), keep(t, store.open(t), testKey(1)))
	now, err := store.open(t).Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, head.Token, now.Token, "nothing was recorded")
	m.commit(t, tx, m.put(t, s.resources(0, 3, 1)))
	require.NoError(t, tx.Close(t.Context()))
	requireKey(t, b, testKey(1))
	m.matches(t, store, b)
}

// Nothing that a reader is given has the key in it.
func keyIsNowhereElse(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	key := keep(t, b, []byte("a key that is easy to find, anywhere"))
	m.sync(t, store, b, s.resources(0, 3, 1))
	head, err := b.Head(t.Context())
	require.NoError(t, err)
	records := collect(t, b)
	text := fmt.Sprint(head.Token) + jsonOf(t, head) + jsonOf(t, records)
	if !s.lacks(Declarations) {
		found, err := b.Declared(t.Context(), []state.Checksum{records[0].Checksum, state.Sum(key)})
		require.NoError(t, err)
		require.Len(t, found, 1)
		text += jsonOf(t, found[records[0].Checksum])
	}
	for _, form := range []string{string(key), hex.EncodeToString(key), base64.StdEncoding.EncodeToString(key)} {
		require.NotContains(t, text, form)
	}
}

func keyOfEachScope(t *testing.T, s *Suite) {
	store := s.fresh(t)
	other := *store
	other.scope.App = "other"
	require.Equal(t, testKey(1), keep(t, store.open(t), testKey(1)))
	requireKey(t, other.open(t), nil)
	require.Equal(t, testKey(2), keep(t, other.open(t), testKey(2)))
	requireKey(t, store.open(t), testKey(1))
}

// No key can't be kept: it would be taken for one that isn't there yet.
func keyMayBeAnyBytes(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b := store.open(t)
	for _, none := range [][]byte{nil, {}} {
		_, err := able[tusync.DigestKeeper](t, b).KeepDigestKey(t.Context(), none)
		require.Error(t, err)
		requireKey(t, b, nil)
	}
	for i, key := range [][]byte{{0}, []byte("\n"), []byte("text"), bytes.Repeat([]byte{0xff}, 4096)} {
		at := *store
		at.scope.App = fmt.Sprint("app", i)
		require.Equal(t, key, keep(t, at.open(t), key))
		requireKey(t, at.open(t), key)
	}
}
