package apiserver

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/trueup-go/trueup/state"
)

// maxParts is how many parts a run may have.
const maxParts = 16

// partOverhead is what a part takes beside what it holds: many small ones count, too.
const partOverhead = 1 << 10

// parts are the parts of runs that were uploaded before them, by what they hold.
type parts struct {
	opts Options
	mu   sync.Mutex
	all  map[partKey]*part
	size map[string]int64 // by caller
}

type partKey struct {
	scope  state.Scope
	caller string
	sum    state.Checksum
}

type part struct {
	data  []byte
	timer *time.Timer
}

func newParts(opts Options) *parts {
	return &parts{opts: opts, all: map[partKey]*part{}, size: map[string]int64{}}
}

// put keeps a part for a while.
func (p *parts) put(key partKey, data []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if found := p.all[key]; found != nil {
		found.timer.Reset(p.opts.Keep)
		return nil
	}
	size := p.size[key.caller] + int64(len(data)) + partOverhead
	if size > maxParts*(p.opts.MaxBody+partOverhead) {
		return errBusy
	}
	p.size[key.caller] = size
	p.all[key] = &part{data, time.AfterFunc(p.opts.Keep, func() { p.drop(key) })}
	return nil
}

// join returns what parts hold, one after another.
func (p *parts) join(keys []partKey) (io.Reader, error) {
	if len(keys) == 0 || len(keys) > maxParts {
		return nil, badRequest("a run has 1 to %d parts, not %d", maxParts, len(keys))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []io.Reader
	for _, key := range keys {
		found := p.all[key]
		if found == nil {
			return nil, &refusal{http.StatusNotFound, "the part " + key.sum.String() + " is not here, or not any more: upload it again"}
		}
		all = append(all, bytes.NewReader(found.data))
	}
	return io.MultiReader(all...), nil
}

// drop forgets parts.
func (p *parts) drop(keys ...partKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, key := range keys {
		found := p.all[key]
		if found == nil {
			continue
		}
		found.timer.Stop()
		delete(p.all, key)
		if p.size[key.caller] -= int64(len(found.data)) + partOverhead; p.size[key.caller] == 0 {
			delete(p.size, key.caller)
		}
	}
}

func (s *Server) putPart(x *exchange) error {
	data, err := io.ReadAll(x.Body)
	if err != nil {
		return err
	}
	var sum state.Checksum
	if err := sum.UnmarshalText([]byte(x.PathValue("sum"))); err != nil {
		return badRequest("%v", err)
	}
	if state.Sum(data) != sum {
		return badRequest("the part is not what its checksum says")
	}
	if err := s.parts.put(partKey{x.scope, x.caller.Name, sum}, data); err != nil {
		return err
	}
	x.w.WriteHeader(http.StatusNoContent)
	return nil
}
