package synccli_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync/synccli"
)

func TestOS(t *testing.T) {
	t.Parallel()
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	require.NoError(t, err)
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	require.NoError(t, err)
	r, w, err := os.Pipe()
	require.NoError(t, err)
	closed, err := os.Open(file.Name())
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	t.Cleanup(func() {
		for _, f := range []*os.File{file, null, r, w} {
			require.NoError(t, f.Close())
		}
	})
	nothing := func(string) string { return "" }
	for _, f := range []*os.File{file, null, r, w, closed} {
		stdio := synccli.OS(f, f, f, nothing)
		require.False(t, stdio.InTerminal, f.Name())
		require.False(t, stdio.OutTerminal, f.Name())
		require.False(t, stdio.Color, f.Name())
		require.NotEmpty(t, stdio.User)
		require.Empty(t, stdio.Getenv("PATH"))
	}
}

// A character device stands in for a terminal.
func TestColorsCanBeTurnedOff(t *testing.T) {
	t.Parallel()
	device, err := os.Open("/dev/zero")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, device.Close()) })
	for _, test := range []struct {
		env             map[string]string
		color, terminal bool
	}{
		{nil, true, true},
		{map[string]string{"TERM": "xterm"}, true, true},
		{map[string]string{"NO_COLOR": "1"}, false, true},
		{map[string]string{"TERM": "dumb"}, false, false},
	} {
		stdio := synccli.OS(device, device, device, func(name string) string { return test.env[name] })
		require.Equal(t, test.color, stdio.Color, test.env)
		require.Equal(t, test.terminal, stdio.OutTerminal, test.env)
		require.True(t, stdio.InTerminal)
	}
}

// The zero Stdio reads nothing and writes nowhere.
func TestTheZeroStdio(t *testing.T) {
	b := newShop(t)
	path := "not asked"
	asks := synccli.Command{Name: "asks", Run: func(_ context.Context, call *synccli.Call) error {
		path = call.Getenv("PATH")
		return nil
	}}
	require.Zero(t, synccli.New(synccli.Host{Name: "shop", Commands: []synccli.Command{asks}}).Run(t.Context(), []string{"asks"}, synccli.Stdio{}))
	require.Empty(t, path)
	require.Zero(t, synccli.New(shop()).Run(t.Context(), []string{"help"}, synccli.Stdio{}))
	require.Equal(t, 1, synccli.New(shop()).Run(t.Context(), []string{"oops"}, synccli.Stdio{}))
	require.Equal(t, 1, synccli.New(b.host).Run(t.Context(), []string{"sync", b.dir}, synccli.Stdio{InTerminal: true}))
}
