package dbsyncer_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/dbsyncer"
	"github.com/trueup-go/trueup/dbsyncer/dbsyncertest"
	tusync "github.com/trueup-go/trueup/sync"
)

// A disk is full where a table's file is /dev/full: Postgres itself finds so when the
// table is to grow.
func TestAFullDisk(t *testing.T) {
	t.Parallel()
	url := dbsyncertest.Start(t, nil).URL()
	admin := dbsyncertest.Pool(t, url, nil)
	h := newHostAt(t, url)
	path := filepath.Join(value(t, admin, "select current_setting('data_directory')"), value(t, admin, "select pg_relation_filepath('"+h.schema+".records')"))
	require.NoError(t, os.Rename(path, path+".empty"))
	require.NoError(t, os.Symlink("/dev/full", path))

	// Each with connections of its own, to which the file is what it is now.
	full := h.engine(t, dbsyncertest.Pool(t, url, nil), shop(), nil)
	result, err := apply(t.Context(), full, declare(t, "widget", 1, 2), nil)
	var own *dbsyncer.Error
	require.ErrorAs(t, err, &own)
	require.Equal(t, dbsyncer.Full, own.Problem)
	require.Equal(t, "53100", own.Code)
	require.ErrorContains(t, err, "make room")
	require.False(t, tusync.Retryable(err))
	require.Equal(t, []int{2}, h.calls, "it isn't tried again")
	requireDiscreet(t, err)
	require.Zero(t, result.Head.Serial)
	for _, table := range []string{"widgets", "states", "commits", "declared"} {
		require.Equal(t, "0", value(t, admin, "select count(*) from "+h.schema+"."+table), table)
	}
	require.Equal(t, "failed", value(t, admin, "select result from "+h.schema+".runs"))

	require.NoError(t, os.Rename(path+".empty", path))
	roomy := h.engine(t, dbsyncertest.Pool(t, url, nil), shop(), nil)
	result, err = apply(t.Context(), roomy, declare(t, "widget", 1, 2), nil)
	require.NoError(t, err)
	require.EqualValues(t, 1, result.Head.Serial)
}
