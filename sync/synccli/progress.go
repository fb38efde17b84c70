package synccli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	tusync "github.com/trueup-go/trueup/sync"
)

// progress shows the events of one Apply. end is called once, after the last.
type progress interface {
	event(event tusync.Event)
	end()
}

func (c *Call) newProgress() progress {
	switch {
	case c.JSON:
		return newLines(c, asJSON)
	case c.OutTerminal:
		return newLiveProgress(c)
	}
	return newLines(c, ended)
}

// lines is a line per event, for a pipe. They are written every so often: a
// thousand changes that end at once are one write.
type lines struct {
	call *Call
	text func(event tusync.Event) string // empty for an event without a line
	stop func()

	mu  sync.Mutex
	buf bytes.Buffer
}

func newLines(c *Call, text func(tusync.Event) string) *lines {
	p := &lines{call: c, text: text}
	p.stop = everySoOften(p.flush)
	return p
}

func (p *lines) event(event tusync.Event) {
	text := p.text(event)
	if text == "" {
		return
	}
	p.mu.Lock()
	p.buf.WriteString(text)
	p.buf.WriteByte('\n')
	full := p.buf.Len() > 1<<15
	p.mu.Unlock()
	if full {
		p.flush()
	}
}

func (p *lines) flush() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.buf.Len() > 0 {
		fmt.Fprint(p.call.Out, p.buf.String())
		p.buf.Reset()
	}
}

func (p *lines) end() {
	p.stop()
	p.flush()
}

// soOften is how often something new is shown.
const soOften = 100 * time.Millisecond

// everySoOften calls show until stop is called, which waits for the last call.
func everySoOften(show func()) (stop func()) {
	done, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		ticker := time.NewTicker(soOften)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				show()
			}
		}
	}()
	return func() {
		close(done)
		<-over
	}
}

func asJSON(event tusync.Event) string {
	raw, err := json.Marshal(event)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}
