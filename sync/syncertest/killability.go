package syncertest

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	tusync "github.com/trueup-go/trueup/sync"
)

// keep keeps a key, and dies at the step that was asked for.
func (j *job) keep(ctx context.Context, s *Suite) error {
	return j.useAbility(s, func(b tusync.Backend) (string, error) {
		keeper, ok := tusync.AbilityOf[tusync.DigestKeeper](b)
		if !ok {
			return "", errors.ErrUnsupported
		}
		key, err := keeper.KeepDigestKey(ctx, j.Key)
		return fmt.Sprintf("key %x", key), err
	})
}

// unlock ends the lease of whoever holds it, and dies at the step that was asked
// for.
func (j *job) unlock(ctx context.Context, s *Suite) error {
	return j.useAbility(s, func(b tusync.Backend) (string, error) {
		unlocker, ok := tusync.AbilityOf[tusync.Unlocker](b)
		if !ok {
			return "", errors.ErrUnsupported
		}
		holder, err := unlocker.Holder(ctx)
		if err == nil {
			err = unlocker.Unlock(ctx, holder)
		}
		return "unlocked", err
	})
}

// useAbility uses a stepping backend, and answers what came of it and after how
// many steps.
func (j *job) useAbility(s *Suite, use func(tusync.Backend) (string, error)) error {
	var steps atomic.Int64
	step := j.killing(&steps)
	b, err := j.stepping(s, step)
	if err != nil {
		return err
	}
	step()
	said, err := use(b)
	if err != nil {
		return err
	}
	answer("%s", said)
	step()
	answer("steps %d", steps.Load())
	return nil
}

// stepsOf runs a job to its end and returns how many steps it has.
func (s *store) stepsOf(t *testing.T, j job) (steps int64) {
	t.Helper()
	p := s.start(t, j)
	require.NotEmpty(t, p.hear(), "%s", &p.stderr)
	_, err := fmt.Sscanf(p.hear(), "steps %d", &steps)
	require.NoError(t, err, "%s", &p.stderr)
	require.False(t, p.end(t))
	return steps
}

// A process that is killed at any step of keeping a key has kept it, or hasn't:
// nobody sees half of one, whoever was told of one finds it again, and several who
// keep one at once agree, whichever of them dies.
func killedKeeper(t *testing.T, s *Suite) {
	random := rand.New(rand.NewPCG(10, 1))
	for _, at := range spread(s.fresh(t).stepsOf(t, job{Do: "keep", Key: testKey(1)}), random) {
		store := s.fresh(t)
		sides := []*process{
			store.start(t, job{Do: "keep", Key: testKey(1), KillAt: at}),
			store.start(t, job{Do: "keep", Key: testKey(2)}),
		}
		var told [][]byte
		for _, p := range sides {
			if text, ok := strings.CutPrefix(p.hear(), "key "); ok {
				key, err := hex.DecodeString(text)
				require.NoError(t, err)
				told = append(told, key)
			}
			p.end(t)
		}
		require.NotEmpty(t, told, "one of them was not killed: %s", &sides[1].stderr)
		one := keep(t, store.open(t), testKey(3))
		require.Contains(t, [][]byte{testKey(1), testKey(2)}, one)
		for _, key := range told {
			require.Equal(t, one, key, "killed at step %d", at)
		}
		m := newModel(store.scope)
		m.sync(t, store, store.open(t), s.resources(0, 2, 1))
		requireKey(t, store.open(t), one)
		m.matches(t, store, store.open(t))
	}
	for _, at := range spread(s.fresh(t).stepsOf(t, job{Do: "keep", Key: testKey(1)}), random) {
		store := s.fresh(t)
		p := store.start(t, job{Do: "keep", Key: testKey(1), KillAt: at})
		said := p.hear()
		p.end(t)
		seen, err := able[tusync.DigestKeeper](t, store.open(t)).DigestKey(t.Context())
		require.NoError(t, err)
		if said != "" || seen != nil {
			require.Equal(t, testKey(1), seen, "killed at step %d", at)
			require.Equal(t, testKey(1), keep(t, store.open(t), testKey(2)))
			continue
		}
		require.Equal(t, testKey(2), keep(t, store.open(t), testKey(2)))
	}
}

// A process that is killed at any step of unlocking leaves the State as it is. The
// holder goes on or has lost its lease; it has lost it once somebody was told so,
// and when the next one has begun.
func killedUnlock(t *testing.T, s *Suite) {
	random := rand.New(rand.NewPCG(6, 1))
	store := s.fresh(t)
	holder := store.start(t, job{Do: "hold"})
	require.Equal(t, "held", holder.hear(), "%s", &holder.stderr)
	for _, at := range spread(store.stepsOf(t, job{Do: "unlock"}), random) {
		unlockAndDie(t, s, at)
	}
}

func unlockAndDie(t *testing.T, s *Suite, at int64) {
	t.Helper()
	store := s.fresh(t)
	before := newModel(store.scope)
	before.sync(t, store, store.open(t), s.resources(0, 6, 9))
	holder := store.start(t, job{Do: "hold"})
	require.Equal(t, "held", holder.hear(), "%s", &holder.stderr)
	unlocking := store.start(t, job{Do: "unlock", KillAt: at})
	unlocked := unlocking.hear() == "unlocked"
	unlocking.end(t)
	before.matches(t, store, store.open(t))

	holder.say(t, "commit")
	said := holder.hear()
	if unlocked {
		require.Equal(t, "lost", said, "killed at step %d", at)
	}
	if said == "lost" {
		before.matches(t, store, store.open(t))
	} else {
		require.Equal(t, "committed", said, "killed at step %d: %s", at, &holder.stderr)
	}
	b := store.open(t)
	left, err := able[tusync.Unlocker](t, b).Holder(t.Context())
	require.NoError(t, err)
	require.NoError(t, able[tusync.Unlocker](t, b).Unlock(t.Context(), left))
	m, tx := s.modelOf(t, store)
	m.commit(t, tx, m.put(t, s.resources(3, 8, 10)))
	require.NoError(t, tx.Close(t.Context()))
	holder.say(t, "commit")
	require.Equal(t, "lost", holder.hear(), "killed at step %d", at)
	require.False(t, holder.end(t))
	(&crashes{}).look(t, store)
}
