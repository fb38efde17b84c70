package synccli

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// screen is what a terminal shows after the output: it knows new lines, and what
// liveProgress uses.
func screen(t *testing.T, output string) []string {
	t.Helper()
	require.Equal(t, strings.Count(output, noWrap), strings.Count(output, wrap))
	output = strings.NewReplacer(noWrap, "", wrap, "").Replace(output)
	lines := []string{""}
	at := 0
	for len(output) > 0 {
		switch {
		case strings.HasPrefix(output, erase):
			at--
			require.GreaterOrEqual(t, at, 0)
			lines[at] = ""
			output = output[len(erase):]
		case output[0] == '\n':
			at++
			if at == len(lines) {
				lines = append(lines, "")
			}
			output = output[1:]
		default:
			lines[at] += output[:1]
			output = output[1:]
		}
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// terminal is a writer that can be looked at meanwhile.
type terminal struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (t *terminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.Write(p)
}

func (t *terminal) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}

func key(name string) state.Key { return state.Key{Kind: "server", Name: name} }

func TestLiveProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out terminal
		p := newLiveProgress(&Call{Stdio: Stdio{Out: &out, OutTerminal: true}})
		wait := func(d time.Duration) { <-time.After(d); synctest.Wait() }

		p.event(tusync.Event{Type: tusync.EventStart, Key: key("a"), Op: diff.OpCreate, Total: 3})
		p.event(tusync.Event{Type: tusync.EventStart, Key: key("b"), Op: diff.OpUpdate, Total: 3})
		wait(150 * time.Millisecond)
		require.Equal(t, []string{"  creating server/a", "  updating server/b", "  0 of 3 done"}, screen(t, out.String()))

		p.event(tusync.Event{Type: tusync.EventEnd, Key: key("a"), Op: diff.OpCreate, Status: tusync.Done, Done: 1, Total: 3})
		wait(2 * time.Second)
		require.Equal(t, []string{"✓ created server/a", "  updating server/b 2s", "  1 of 3 done"}, screen(t, out.String()))

		p.event(tusync.Event{Type: tusync.EventEnd, Key: key("b"), Op: diff.OpUpdate, Status: tusync.Failed, Err: errors.New("no"), Done: 2, Total: 3})
		p.event(tusync.Event{Type: tusync.EventEnd, Key: key("c"), Op: diff.OpDelete, Status: tusync.Blocked, Done: 3, Total: 3})
		p.event(tusync.Event{Type: tusync.EventEnd, Key: key("d"), Op: diff.OpDelete, Status: tusync.NotAttempted, Done: 3, Total: 3})
		p.end()
		require.Equal(t, []string{"✓ created server/a", "✗ failed to update server/b", "✗ blocked server/c"}, screen(t, out.String()))
	})
}

// Of one resource there may be two changes under way.
func TestLiveProgressOfBothHalvesOfAReplace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out terminal
		p := newLiveProgress(&Call{Stdio: Stdio{Out: &out, OutTerminal: true}})
		replace := tusync.Event{Type: tusync.EventStart, Key: key("a"), Op: diff.OpReplace, Total: 3}
		old := tusync.Event{Type: tusync.EventStart, Key: key("a"), Op: diff.OpDelete, Replaced: true, Total: 3}
		deploy := tusync.Event{Type: tusync.EventStart, Key: key("a"), Op: diff.OpDeploy, Total: 3}
		p.event(replace)
		p.event(old)
		p.event(deploy)
		old.Type, old.Status = tusync.EventEnd, tusync.Done
		p.event(old)
		<-time.After(2 * soOften)
		synctest.Wait()
		require.Equal(t, []string{"✓ deleted the old server/a", "  replacing server/a", "  deploying server/a", "  0 of 3 done"}, screen(t, out.String()))
		p.end()
	})
}

func TestLiveProgressOfManyShowsAFew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out terminal
		p := newLiveProgress(&Call{Stdio: Stdio{Out: &out, OutTerminal: true}})
		for range 100 {
			p.event(tusync.Event{Type: tusync.EventStart, Key: key("a"), Op: diff.OpCreate, Total: 100})
		}
		<-time.After(2 * soOften)
		synctest.Wait()
		require.Len(t, screen(t, out.String()), maxRunning+2)
		require.Contains(t, out.String(), "… and 92 more")
		p.end()
		require.Empty(t, screen(t, out.String()))
	})
}

func TestLiveProgressInColor(t *testing.T) {
	t.Parallel()
	var out terminal
	p := newLiveProgress(&Call{Stdio: Stdio{Out: &out, OutTerminal: true, Color: true}})
	p.event(tusync.Event{Type: tusync.EventEnd, Key: key("a"), Op: diff.OpCreate, Status: tusync.Done})
	p.event(tusync.Event{Type: tusync.EventEnd, Key: key("b"), Op: diff.OpCreate, Status: tusync.Failed})
	p.end()
	require.Equal(t, "\x1b[32m✓\x1b[0m created server/a\n\x1b[31m✗\x1b[0m failed to create server/b\n", out.String())
}

// What ended is on its way although nothing else happens for a while.
func TestLinesDoNotWaitForMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out terminal
		p := newLines(&Call{Stdio: Stdio{Out: &out}}, ended)
		p.event(tusync.Event{Type: tusync.EventStart, Key: key("a"), Op: diff.OpCreate})
		p.event(tusync.Event{Type: tusync.EventEnd, Key: key("a"), Op: diff.OpCreate, Status: tusync.Done})
		require.Empty(t, out.String())
		<-time.After(2 * soOften)
		synctest.Wait()
		require.Equal(t, "created server/a\n", out.String())
		p.event(tusync.Event{Type: tusync.EventEnd, Key: key("b"), Op: diff.OpDelete, Status: tusync.Done})
		p.end()
		require.Equal(t, "created server/a\ndeleted server/b\n", out.String())
	})
}

// What a host does beside a sync is shown in the same way.
func TestWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out terminal
		w := (&Call{Stdio: Stdio{Out: &out, OutTerminal: true}}).Work(2)
		w.Begin("a", "building a")
		w.Begin("b", "building b")
		<-time.After(150 * time.Millisecond)
		synctest.Wait()
		require.Equal(t, []string{"  building a", "  building b", "  0 of 2 done"}, screen(t, out.String()))
		w.End("a", "built a", true)
		<-time.After(150 * time.Millisecond)
		synctest.Wait()
		require.Equal(t, []string{"✓ built a", "  building b", "  1 of 2 done"}, screen(t, out.String()))
		w.End("b", "failed to build b", false)
		w.Close()
		require.Equal(t, []string{"✓ built a", "✗ failed to build b"}, screen(t, out.String()))
	})
}

func TestWorkInAPipeAndForPrograms(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"pipe": "built a\n", "json": ""} {
		var out terminal
		w := (&Call{Stdio: Stdio{Out: &out, OutTerminal: name == "json"}, JSON: name == "json"}).Work(1)
		w.Begin("a", "building a")
		w.End("a", "built a", true)
		w.Close()
		require.Equal(t, want, out.String(), name)
	}
}
