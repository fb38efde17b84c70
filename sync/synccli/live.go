package synccli

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/trueup-go/trueup/diff"
	tusync "github.com/trueup-go/trueup/sync"
)

// liveProgress is for a terminal: a line per change that ended, which stays, and
// below them a line per change that is under way, drawn over and over.
type liveProgress struct {
	call *Call
	stop func() // the drawing

	mu          sync.Mutex
	stay        bytes.Buffer // what ended since the last drawing
	running     []running    // in the order in which they began
	done, total int
	drawn       int // lines below the ones that stay
}

type running struct {
	what  work
	text  string
	since time.Time
}

// work is what tells apart what is under way. Of a key there may be two changes:
// both halves of a replace, a deploy.
type work struct {
	name     string
	op       diff.Op
	replaced bool
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
	what := work{event.Key.String(), event.Op, event.Replaced}
	switch event.Type {
	case tusync.EventStart:
		p.begin(what, verb(event.Op).going+" "+named(event))
	case tusync.EventEnd:
		p.finish(what, ended(event), event.Status == tusync.Done)
	}
	p.count(event.Done, event.Total)
}

func (p *liveProgress) begin(what work, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = append(p.running, running{what: what, text: text, since: time.Now()})
}

// finish notes that something ended; an empty text says that it isn't worth a line.
func (p *liveProgress) finish(what work, text string, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = slices.DeleteFunc(p.running, func(r running) bool { return r.what == what })
	if text != "" {
		p.stay.WriteString(p.mark(ok) + " " + text + "\n")
	}
}

// count notes how many have ended, of how many.
func (p *liveProgress) count(done, total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done, p.total = done, total
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
		fmt.Fprintf(&out, "  %s%s\n", r.text, elapsed(time.Since(r.since)))
		p.drawn++
	}
	if len(p.running) > 0 {
		fmt.Fprintf(&out, "  %d of %d done\n%s", p.done, p.total, wrap)
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

func (p *liveProgress) mark(ok bool) string {
	mark, color := "✓", "\x1b[32m"
	if !ok {
		mark, color = "✗", "\x1b[31m"
	}
	if !p.call.Color {
		return mark
	}
	return color + mark + "\x1b[0m"
}
