package synccli

import (
	"fmt"
	"sync"
)

// Work shows the progress of what a host does beside a sync, such as builds, as
// that of the sync is shown: a line when something has ended, and at a terminal what
// is under way. With --json it shows nothing: the host writes lines of its own. It
// is safe for concurrent use.
type Work struct {
	call  *Call
	live  *liveProgress // nil where nothing is drawn over
	steps int

	mu   sync.Mutex
	done int
}

// Work begins to show work of so many steps. Close must be called before anything
// else is written to Out.
func (c *Call) Work(steps int) *Work {
	w := &Work{call: c, steps: steps}
	if c.OutTerminal && !c.JSON {
		w.live = newLiveProgress(c)
		w.live.count(0, steps)
	}
	return w
}

// Begin shows that a step is under way: "building api".
func (w *Work) Begin(step, text string) {
	if w.live != nil {
		w.live.begin(work{name: step}, text)
	}
}

// End shows that a step has ended, and whether well: "built api".
func (w *Work) End(step, text string, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done++
	switch {
	case w.live != nil:
		w.live.finish(work{name: step}, text, ok)
		w.live.count(w.done, w.steps)
	case !w.call.JSON:
		fmt.Fprintln(w.call.Out, text)
	}
}

// Close ends it.
func (w *Work) Close() {
	if w.live != nil {
		w.live.end()
	}
}
