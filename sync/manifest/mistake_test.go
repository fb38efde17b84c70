package manifest_test

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/hashicorp/go-multierror"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/manifest"
)

func TestMistakesAreSortedAndSaidOnce(t *testing.T) {
	t.Parallel()
	var m manifest.Mistakes
	require.NoError(t, m.Err())
	m.Add(sync.Position{File: "b.toml", Line: 1, Col: 1}, "b", "")
	m.Add(sync.Position{File: "a.toml", Line: 10, Col: 1}, "ten", "hint")
	m.Add(sync.Position{File: "a.toml", Line: 9, Col: 20}, "nine, twenty", "")
	m.Add(sync.Position{File: "a.toml", Line: 9, Col: 3}, "nine, three", "")
	m.Add(sync.Position{File: "a.toml", Line: 10, Col: 1}, "ten", "hint")
	m.Add(sync.Position{File: "a.toml", Line: 10, Col: 1}, "ten", "another hint")
	m.Add(sync.Position{File: "a.toml"}, "the file as a whole", "")
	require.Equal(t, 7, m.Len())
	require.EqualError(t, m.Err(), `a.toml: the file as a whole
a.toml:9:3: nine, three
a.toml:9:20: nine, twenty
a.toml:10:1: ten; another hint
a.toml:10:1: ten; hint
b.toml:1:1: b`)
	m.AddErr(m.Err())
	var all *multierror.Error
	require.ErrorAs(t, m.Err(), &all)
	require.Len(t, all.Errors, 6)
}

func TestMistakesOfErrors(t *testing.T) {
	t.Parallel()
	mistake := manifest.Mistake{Position: sync.Position{File: "a.toml", Line: 1, Col: 2}, Problem: "p", Hint: "h", Err: fs.ErrInvalid}
	var m manifest.Mistakes
	m.AddErr(nil)
	require.Zero(t, m.Len())
	m.AddErr(errors.Join(mistake, multierror.Append(nil, fs.ErrNotExist, mistake)))
	m.AddErr(fmt.Errorf("while walking: %w", fs.ErrPermission))
	require.Equal(t, 4, m.Len())
	err := m.Err()
	require.EqualError(t, err, "file does not exist\nwhile walking: permission denied\na.toml:1:2: p; h")
	for _, target := range []error{fs.ErrInvalid, fs.ErrNotExist, fs.ErrPermission} {
		require.ErrorIs(t, err, target)
	}
	var found manifest.Mistake
	require.ErrorAs(t, multierror.Append(nil, err).ErrorOrNil(), &found)
	require.False(t, sync.Retryable(err))
}
