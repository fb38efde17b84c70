package dbsyncer_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/dbsyncer"
	"github.com/trueup-go/trueup/dbsyncer/dbsyncertest"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// What is recorded in a transaction of the host's is there with it, or not at all;
// others are told at once that somebody is at it.
func TestInATransactionOfTheHosts(t *testing.T) {
	t.Parallel()
	for _, known := range []bool{false, true} {
		for _, commits := range []bool{true, false} {
			name := map[bool]string{false: "a new scope", true: "a scope that exists"}[known] + map[bool]string{false: ", rolled back", true: ", committed"}[commits]
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				h, db, ctx := newHost(t), pool(t, dbsyncertest.URL(t)), t.Context()
				others, err := dbsyncer.New(db, shop(), h.options())
				require.NoError(t, err)
				if known {
					_, err = apply(ctx, engine(t, others, nil), declare(t, "widget", 1), nil)
					require.NoError(t, err)
				}
				before, err := others.Head(ctx)
				require.NoError(t, err)

				tx, err := db.Begin(ctx)
				require.NoError(t, err)
				t.Cleanup(func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }) // or it is over
				execute(t, tx, "set local lock_timeout = '7s'")
				execute(t, tx, "insert into "+h.schema+".widgets values ('own', '', 'own', 1, '')")
				inside, err := dbsyncer.New(tx, shop(), h.options())
				require.NoError(t, err)
				result, err := apply(ctx, engine(t, inside, nil), declare(t, "widget", 2, 3, 4), nil)
				require.NoError(t, err)
				require.Equal(t, before.Serial+1, result.Head.Serial)
				require.Equal(t, []int{2, 3, 4}, sizesIn(t, inside))
				require.Equal(t, "7s", value(t, tx, "select current_setting('lock_timeout')"), "it is the host's")

				now, err := others.Head(ctx)
				require.NoError(t, err)
				require.Equal(t, before, now)
				began := time.Now()
				_, _, err = others.Begin(ctx, "somebody else")
				require.ErrorIs(t, err, tusync.ErrLocked)
				require.Less(t, time.Since(began), 5*time.Second, "it waits for 1 s")

				// What fails in it leaves what the host has written.
				_, err = apply(ctx, engine(t, inside, nil), declare(t, "widget", 2, 3, 100), nil)
				require.Error(t, err)
				_, err = apply(ctx, engine(t, inside, nil), declare(t, "widget", 2, 3, 5), nil)
				require.NoError(t, err)
				if !commits {
					require.NoError(t, tx.Rollback(ctx))
					now, err = others.Head(ctx)
					require.NoError(t, err)
					require.Equal(t, before, now)
					require.Equal(t, "0", value(t, db, "select count(*) from "+h.schema+".widgets where id = 'own'"))
				} else {
					require.NoError(t, tx.Commit(ctx))
					require.Equal(t, []int{2, 3, 5}, sizesIn(t, others))
					require.Equal(t, "1", value(t, db, "select count(*) from "+h.schema+".widgets where id = 'own'"))
				}
				_, err = apply(ctx, engine(t, others, nil), declare(t, "widget", 9), nil)
				require.NoError(t, err, "nobody holds the lease")
			})
		}
	}
}

// sizesIn are the sizes of the widgets that are recorded, and stored.
func sizesIn(t testing.TB, b *dbsyncer.Backend) []int {
	t.Helper()
	var sums []state.Checksum
	for r, err := range b.Records(t.Context()) {
		require.NoError(t, err)
		sums = append(sums, r.Checksum)
	}
	declared, err := b.Declared(t.Context(), sums)
	require.NoError(t, err)
	var all []int
	for _, sum := range sums {
		all = append(all, sizeOf(t, declared[sum]))
	}
	return all
}
