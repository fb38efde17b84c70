package apiserver

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/trueup-go/trueup/apisyncer/internal/wire"
	tusync "github.com/trueup-go/trueup/sync"
)

// run is a plan that is carried out. Its events and its result are kept for a while
// after its end: a client whose connection broke has yet to hear of both.
type run struct {
	cancel context.CancelFunc

	mu     sync.Mutex
	more   chan struct{} // closed when there is more
	events []*wire.Event
	result *wire.Result  // set when it has ended, unless nothing was begun
	failed *wire.Problem // why nothing was begun
	ended  bool
}

// runs are those that are under way, and for a while those that were.
type runs struct {
	opts    Options
	mu      sync.Mutex
	all     map[name]*run
	open    int
	closed  bool
	working sync.WaitGroup
	ended   []name // what is kept of those that have ended, oldest first
	size    int    // of what they have to tell
	most    int    // that it may be
}

// maxSize is how many events and ends of changes are kept for those who come back: about
// 50 MB of them. The oldest runs are forgotten first, and the last one never.
const maxSize = 250_000

func newRuns(opts Options) *runs { return &runs{opts: opts, all: map[name]*run{}, most: maxSize} }

// close cancels all runs, and returns when they have ended. None begins after it.
func (r *runs) close(ctx context.Context) error {
	r.mu.Lock()
	r.closed = true
	for _, own := range r.all {
		own.cancel()
	}
	r.mu.Unlock()
	return r.wait(ctx)
}

// wait returns when all runs have ended.
func (r *runs) wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		r.working.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (r *runs) find(n name) *run {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all[n]
}

// begin begins a run, unless it has begun.
func (r *runs) begin(n name, do func(ctx context.Context, own *run) (*tusync.RunResult, error)) (*run, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if own := r.all[n]; own != nil {
		return own, nil
	}
	switch {
	case r.closed:
		return nil, errClosing
	case r.open >= r.opts.MaxSessions:
		return nil, errBusy
	}
	ctx, cancel := context.WithTimeout(context.Background(), r.opts.RunTime)
	own := &run{cancel: cancel, more: make(chan struct{})}
	r.all[n] = own
	r.open++
	r.working.Go(func() {
		defer cancel()
		result, err := r.guarded(ctx, own, do)
		own.end(result, err)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.open--
		if result == nil && isTriedAgain(err) {
			delete(r.all, n)
			return
		}
		r.ended, r.size = append(r.ended, n), r.size+own.size()
		for r.size > r.most && len(r.ended) > 1 {
			r.forget(r.ended[0])
		}
		time.AfterFunc(r.opts.Keep, func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.forget(n)
		})
	})
	return own, nil
}

// forget drops a run that has ended, if it is still there.
func (r *runs) forget(n name) {
	if i := slices.Index(r.ended, n); i >= 0 {
		r.ended = slices.Delete(r.ended, i, i+1)
		r.size -= r.all[n].size()
		delete(r.all, n)
	}
}

// isTriedAgain tells whether a client's engine sends a run again that failed so before
// anything was begun. Any other has failed for good: a copy of it that comes late is not
// to be carried out.
func isTriedAgain(err error) bool {
	return tusync.Retryable(err) && !errors.Is(err, tusync.ErrLocked) && !errors.Is(err, tusync.ErrLeaseLost)
}

// guarded carries out a run. A panic ends the run and not the server.
func (r *runs) guarded(ctx context.Context, own *run, do func(context.Context, *run) (*tusync.RunResult, error)) (result *tusync.RunResult, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(r.opts.Log, p)
		}
	}()
	return do(ctx, own)
}

// tell adds an event.
func (own *run) tell(e tusync.Event) {
	event := wire.EventOf(e)
	own.mu.Lock()
	defer own.mu.Unlock()
	own.events = append(own.events, event)
	own.wake()
}

func (own *run) end(result *tusync.RunResult, err error) {
	own.mu.Lock()
	defer own.mu.Unlock()
	own.ended = true
	if result != nil {
		own.result = wire.ResultOf(result, err)
	} else {
		own.failed = problem(err)
	}
	own.wake()
}

// size is how much a run that has ended has to tell.
func (own *run) size() int {
	own.mu.Lock()
	defer own.mu.Unlock()
	size := 1 + len(own.events)
	if own.result != nil {
		size += len(own.result.IDs) + len(own.result.Records)
	}
	return size
}

func (own *run) wake() {
	close(own.more)
	own.more = make(chan struct{})
}

// from returns the events from an index on, and whether there are no more to come.
func (own *run) from(at int) (events []*wire.Event, ended bool, more <-chan struct{}) {
	own.mu.Lock()
	defer own.mu.Unlock()
	return own.events[min(at, len(own.events)):], own.ended, own.more
}

// heartbeat is how often a client that waits for a run is told that the server is
// there: with an empty line.
const heartbeat = 5 * time.Second

// follow answers with the events of a run as they come, and its result.
func (x *exchange) follow(own *run) error {
	out, end := x.out("application/x-ndjson")
	buffered := bufio.NewWriterSize(out, 64<<10)
	encoder := json.NewEncoder(buffered)
	flush := func() error {
		err := buffered.Flush()
		if zipped, ok := out.(interface{ Flush() error }); ok {
			err = errors.Join(err, zipped.Flush())
		}
		return errors.Join(err, http.NewResponseController(x.w).Flush())
	}
	alive := time.NewTicker(heartbeat)
	defer alive.Stop()
	for at := 0; ; {
		events, ended, more := own.from(at)
		for _, event := range events {
			if err := encoder.Encode(&wire.Line{Event: event}); err != nil {
				return err
			}
		}
		at += len(events)
		if ended {
			break
		}
		if err := flush(); err != nil {
			return err
		}
		select {
		case <-more:
		case <-alive.C:
			if err := encoder.Encode(&wire.Line{}); err != nil {
				return err
			}
		case <-x.Context().Done():
			return context.Cause(x.Context())
		}
	}
	return errors.Join(encoder.Encode(&wire.Line{Result: own.result, Problem: own.failed}), buffered.Flush(), end())
}

func (s *Server) run(x *exchange) error {
	n, err := x.name()
	if err != nil {
		return err
	}
	own := s.runs.find(n)
	if own == nil {
		asked, parts, err := s.readRun(x)
		if err != nil {
			return err
		}
		ready, err := asked.Sync(n.id)
		if err != nil {
			return badRequest("%v", err)
		}
		kinds := s.opts.Kinds
		if kinds == nil {
			kinds = tusync.Kinds(ready.Kinds...)
		}
		backend := x.backend
		// What is sensitive in it is not kept for longer than the run.
		defer s.parts.drop(parts...)
		own, err = s.runs.begin(n, func(ctx context.Context, own *run) (*tusync.RunResult, error) {
			opts := &tusync.Options{}
			if ready.Events {
				opts.OnEvent = own.tell
			}
			engine, err := tusync.New(backend, kinds, opts)
			if err != nil {
				return nil, err
			}
			return engine.CarryOut(ctx, ready)
		})
		if err != nil {
			return err
		}
	}
	return x.follow(own)
}

// readRun reads a run: the body itself, or what was uploaded in parts.
func (s *Server) readRun(x *exchange) (*wire.Run, []partKey, error) {
	if x.Header.Get("Content-Type") != wire.PartsType {
		body, err := x.body()
		if err != nil {
			return nil, nil, err
		}
		asked, err := decodeRun(body)
		return asked, nil, err
	}
	var list wire.Parts
	if err := x.read(&list); err != nil {
		return nil, nil, err
	}
	keys := make([]partKey, len(list.Sums))
	for i, sum := range list.Sums {
		keys[i] = partKey{x.scope, x.caller.Name, sum}
	}
	whole, err := s.parts.join(keys)
	if err != nil {
		return nil, nil, err
	}
	body, err := decompressed(io.NopCloser(whole), s.opts.MaxBody*maxParts)
	if err != nil {
		return nil, nil, err
	}
	asked, err := decodeRun(body)
	return asked, keys, err
}

func decodeRun(body io.Reader) (*wire.Run, error) {
	asked, err := wire.DecodeRun(body)
	var large *http.MaxBytesError
	if err != nil && !errors.As(err, &large) {
		err = badRequest("the body: %v", err)
	}
	return asked, err
}

func (s *Server) runAgain(x *exchange) error {
	n, err := x.name()
	if err != nil {
		return err
	}
	own := s.runs.find(n)
	if own == nil {
		return fmt.Errorf("there is no such run here, or not any more, as after a restart: sync again: %w", tusync.ErrLeaseLost)
	}
	return x.follow(own)
}

func (s *Server) cancelRun(x *exchange) error {
	n, err := x.name()
	if err != nil {
		return err
	}
	if own := s.runs.find(n); own != nil {
		own.cancel()
	}
	x.w.WriteHeader(http.StatusNoContent)
	return nil
}
