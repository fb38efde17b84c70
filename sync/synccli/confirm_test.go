package synccli_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// atTerminal puts somebody at the terminal who types text.
func (b *bench) atTerminal(text string) {
	b.stdio.In, b.stdio.InTerminal = strings.NewReader(text), true
}

func TestSomebodyIsAsked(t *testing.T) {
	t.Parallel()
	for answer, goesOn := range map[string]bool{
		"y\n": true, "yes\n": true, " YES \r\n": true, "y": true,
		"\n": false, "": false, "n\n": false, "yesterday\n": false,
	} {
		t.Run(answer, func(t *testing.T) {
			b := newShop(t)
			b.atTerminal(answer)
			got := b.run("sync")
			require.Contains(t, got.err, "Carry out 2 changes? [y/N] ")
			if goesOn {
				require.Zero(t, got.code)
				require.Contains(t, got.out, "Done: 2 created")
				return
			}
			require.Equal(t, 1, got.code)
			require.Contains(t, got.err, "shop: nothing was changed\n")
			b.stdio.InTerminal = false
			require.Contains(t, b.must("state"), "Nothing is recorded")
		})
	}
}

func TestNobodyIsAskedForNothing(t *testing.T) {
	b := newShop(t)
	b.must("sync")
	b.atTerminal("")
	require.Contains(t, b.must("sync"), "No changes")
	require.Contains(t, b.must("prune"), "No orphans")
}

func TestYesAsksNobody(t *testing.T) {
	b := newShop(t)
	b.atTerminal("")
	require.Contains(t, b.must("sync", "--yes"), "Done: 2 created")
}

// Where nobody can be asked, what deletes needs a --yes, and only that.
func TestAPipeIsNotDestructiveBySurprise(t *testing.T) {
	b := newShop(t)
	b.must("sync")
	b.remove("server.toml")
	for _, args := range [][]string{{"sync", "--prune"}, {"sync", "--prune", "--json"}} {
		got := b.run(args...)
		require.Equal(t, 1, got.code)
		require.Contains(t, got.err, "shop: 1 resource would be deleted, and nobody is here to be asked: give --yes if that is meant\n")
		require.Len(t, b.state().Records, 2)
	}
	b.must("sync")
	require.Equal(t, 1, b.run("prune").code)
	b.atTerminal("y\n")
	got := b.run("prune")
	require.Zero(t, got.code)
	require.Contains(t, got.err, "Carry out 1 change, with 1 resource to be deleted? [y/N] ")
}

// JSON is for programs: they are not asked, even if a terminal is there.
func TestJSONIsNotAsked(t *testing.T) {
	b := newShop(t)
	b.atTerminal("")
	b.must("sync", "--json")
	b.remove("server.toml")
	require.Equal(t, 1, b.run("sync", "--prune", "--json").code)
}

func TestInterruptedWhileAsked(t *testing.T) {
	b := newShop(t)
	ctx, cancel := context.WithCancel(t.Context())
	in, typing := io.Pipe()
	defer func() { require.NoError(t, typing.Close()) }()
	b.stdio.In, b.stdio.InTerminal = interrupting{in, cancel}, true
	got := b.runIn(ctx, "sync", b.dir)
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "nothing was changed: context canceled")
}

// interrupting is a terminal where somebody presses Ctrl-C and nothing else.
type interrupting struct {
	io.Reader
	press func()
}

func (i interrupting) Read(p []byte) (int, error) {
	i.press()
	return i.Reader.Read(p)
}
