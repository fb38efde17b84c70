package apisyncer

import (
	"bytes"
	"context"
	"errors"
	"net/http"

	"github.com/trueup-go/trueup/apisyncer/internal/wire"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// progress is how far a run was followed.
type progress struct {
	id     string
	events int
}

// partSize is how much of a compressed run is sent at once.
const partSize = 16 << 20

// Run has a plan carried out by the server, and follows it. Where the connection
// breaks the run goes on, and the next call with it goes on to follow it. When the
// context is over the run is cancelled, and its end is waited for.
func (b *Backend) Run(ctx context.Context, run *tusync.Run, onEvent func(tusync.Event)) (*tusync.RunResult, error) {
	at := b.seen.Load()
	if at == nil || at.id != run.ID {
		at = &progress{id: run.ID}
		b.seen.Store(at)
	}
	path := "runs/" + run.ID
	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer context.AfterFunc(ctx, func() {
		short, cancel := context.WithTimeout(following, b.opts.Timeout)
		defer cancel()
		if err := b.call(short, request{method: http.MethodDelete, path: path}, nil); err != nil {
			stop() // nobody hears
		}
	})()
	q := request{method: http.MethodGet, path: path}
	if at.events == 0 {
		var err error
		if q, err = b.packed(ctx, path, run); err != nil {
			return nil, b.failed("hand over the plan", err)
		}
	}
	var result *wire.Result
	err := b.lines(following, q, func(line *wire.Line) error {
		switch {
		case line.Event != nil && line.Event.Seq > at.events:
			event, err := line.Event.Sync()
			if err != nil {
				return err
			}
			at.events = line.Event.Seq
			onEvent(event)
		case line.Result != nil:
			result = line.Result
			return errEnded
		}
		return nil
	})
	switch {
	case errors.Is(err, errEnded):
		return result.Sync()
	case ctx.Err() != nil:
		err = errors.Join(context.Cause(ctx), err)
	}
	return nil, b.failed("carry out the plan", err)
}

var errEnded = errors.New("the run has ended")

// packed returns the request that begins a run. What is too large for one is uploaded
// before, in parts.
func (b *Backend) packed(ctx context.Context, path string, run *tusync.Run) (request, error) {
	var text bytes.Buffer
	if err := wire.RunOf(run).Encode(&text); err != nil {
		return request{}, err
	}
	data, zipped, err := b.compressed(text.Bytes())
	if err != nil {
		return request{}, err
	}
	q := request{method: http.MethodPost, path: path, raw: data, contentType: "application/x-ndjson", zipped: zipped}
	if len(data) <= partSize {
		return q, nil
	}
	var list wire.Parts
	for ; len(data) > 0; data = data[min(len(data), partSize):] {
		part := data[:min(len(data), partSize)]
		sum := state.Sum(part)
		list.Sums = append(list.Sums, sum)
		put := request{method: http.MethodPut, path: "parts/" + sum.String(), raw: part, contentType: "application/octet-stream"}
		if err := b.call(ctx, put, nil); err != nil {
			return q, err
		}
	}
	q.raw, q.zipped, err = b.encoded(list)
	q.contentType = wire.PartsType
	return q, err
}
