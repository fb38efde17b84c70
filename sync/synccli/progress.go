package synccli

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/sync"
)

// progress shows the events of one Apply. end is called once, after the last.
type progress interface {
	event(event sync.Event)
	end()
}

func (c *Call) newProgress() progress {
	switch {
	case c.JSON:
		return &eventLines{lines: lineBuffer{call: c}}
	case c.OutTerminal:
		return newLiveProgress(c)
	}
	return &plainLines{lines: lineBuffer{call: c}}
}

// plainLines is a line per change that ended, for a pipe.
type plainLines struct{ lines lineBuffer }

func (p *plainLines) event(event sync.Event) {
	if text := ended(event); text != "" {
		p.lines.add(text)
	}
	p.lines.after(event)
}

func (p *plainLines) end() { p.lines.flush() }

// eventLines is a line of JSON per event.
type eventLines struct{ lines lineBuffer }

func (p *eventLines) event(event sync.Event) {
	raw, err := json.Marshal(event)
	if err != nil {
		raw = []byte(err.Error())
	}
	p.lines.add(string(raw))
	p.lines.after(event)
}

func (p *eventLines) end() { p.lines.flush() }

// lineBuffer collects lines, so that a thousand changes that end at once are one
// write.
type lineBuffer struct {
	call *Call
	buf  bytes.Buffer
}

func (b *lineBuffer) add(line string) {
	b.buf.WriteString(line)
	b.buf.WriteByte('\n')
}

// after writes what there is, unless the event is one of many that come at once.
func (b *lineBuffer) after(event sync.Event) {
	if event.Type != sync.EventEnd && event.Type != sync.EventStart || b.buf.Len() > 1<<15 {
		b.flush()
	}
}

func (b *lineBuffer) flush() {
	if b.buf.Len() > 0 {
		fmt.Fprint(b.call.Out, b.buf.String())
		b.buf.Reset()
	}
}

// ended says how a change ended; empty for any other event, and for a change
// that was never attempted.
func ended(event sync.Event) string {
	if event.Type != sync.EventEnd {
		return ""
	}
	switch event.Status {
	case sync.Done:
		return verb(event.Op).past + " " + event.Key.String()
	case sync.Failed:
		return "failed to " + verb(event.Op).plain + " " + event.Key.String()
	case sync.Blocked:
		return "blocked " + event.Key.String()
	}
	return ""
}

// verbs are the words for an op.
type verbs struct{ plain, going, past string }

func verb(op diff.Op) verbs {
	switch op {
	case diff.OpCreate:
		return verbs{"create", "creating", "created"}
	case diff.OpUpdate:
		return verbs{"update", "updating", "updated"}
	case diff.OpDelete:
		return verbs{"delete", "deleting", "deleted"}
	case diff.OpOrphan:
		return verbs{"orphan", "orphaning", "orphaned"}
	case diff.OpForget:
		return verbs{"forget", "forgetting", "forgotten"}
	}
	return verbs{string(op), string(op), string(op)}
}
