package synccli

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// liveProgress is for a terminal: a line per change that ended, which stays, and
// below them a line per change that is under way, drawn over and over.
type liveProgress struct {
	call *Call
	stop func() // the drawing

	mu      sync.Mutex
	stay    bytes.Buffer // what ended since the last drawing
	running []running    // in the order in which they began
	last    tusync.Event
	drawn   int // lines below the ones that stay
}

type running struct {
	key   state.Key
	verb  string
	since time.Time
}

const (
	// maxRunning is how many lines there are at most for what is under way.
	maxRunning = 8
)

// What a terminal understands.
const (
	erase  = "\x1b[A\x1b[2K" // the line above
	noWrap = "\x1b[?7l"      // a line that is too long is cut: it must stay one
	wrap   = "\x1b[?7h"
)

func newLiveProgress(c *Call) *liveProgress {
	p := &liveProgress{call: c}
	p.stop = everySoOften(p.draw)
	return p
}

func (p *liveProgress) event(event tusync.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = event
	switch event.Type {
	case tusync.EventStart:
		p.running = append(p.running, running{key: event.Key, verb: verb(event.Op).going, since: time.Now()})
	case tusync.EventEnd:
		p.running = slices.DeleteFunc(p.running, func(r running) bool { return r.key == event.Key })
		if text := ended(event); text != "" {
			p.stay.WriteString(p.mark(event.Status) + " " + text + "\n")
		}
	}
}

func (p *liveProgress) end() {
	p.stop()
	p.running = nil
	p.draw()
}

// draw erases the lines that are drawn over and writes what is new.
func (p *liveProgress) draw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out bytes.Buffer
	for range p.drawn {
		out.WriteString(erase)
	}
	p.drawn = 0
	out.Write(p.stay.Bytes())
	p.stay.Reset()
	if len(p.running) > 0 {
		out.WriteString(noWrap)
	}
	for i, r := range p.running {
		if i == maxRunning {
			fmt.Fprintf(&out, "  … and %d more\n", len(p.running)-maxRunning)
			p.drawn++
			break
		}
		fmt.Fprintf(&out, "  %s %s%s\n", r.verb, r.key, elapsed(time.Since(r.since)))
		p.drawn++
	}
	if len(p.running) > 0 {
		fmt.Fprintf(&out, "  %d of %d done\n%s", p.last.Done, p.last.Total, wrap)
		p.drawn++
	}
	if out.Len() > 0 {
		fmt.Fprint(p.call.Out, out.String())
	}
}

// elapsed says for how long, if it is worth saying.
func elapsed(d time.Duration) string {
	if d < time.Second {
		return ""
	}
	return " " + d.Truncate(time.Second).String()
}

func (p *liveProgress) mark(status tusync.Status) string {
	mark, color := "✓", "\x1b[32m"
	if status != tusync.Done {
		mark, color = "✗", "\x1b[31m"
	}
	if !p.call.Color {
		return mark
	}
	return color + mark + "\x1b[0m"
}
