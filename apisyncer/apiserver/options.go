package apiserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// Open returns the backend of a scope. It is called for each request, so what takes
// long (a pool of connections) is to be had already. An error that wraps
// fs.ErrNotExist means that there is no such scope.
type Open func(ctx context.Context, scope state.Scope) (sync.Backend, error)

// Authenticate tells who a request is from: from its Authorization header, its client
// certificate, or a cookie. An error means that nobody knows, and is answered with
// 401; its text is logged, and not sent.
type Authenticate func(r *http.Request) (*Caller, error)

// Caller is who a request is from.
type Caller struct {
	// Name is who it is: it is logged, and nobody with another name reaches the
	// caller's runs, sessions and parts.
	Name string
	// May tells whether the caller may read what is of an org, or write it. What may
	// not be read is not there, as far as the caller can tell. It must be safe for
	// concurrent use.
	May func(org string, write bool) bool
}

// Options of a server. The zero value is the default.
type Options struct {
	// Kinds are the kinds that plans are made with here. Nil: those that a client
	// sends along with its plan.
	Kinds *sync.KindSet
	// MaxBody is how many bytes the body of a request may have, before and after it is
	// decompressed. 0 is 64 MiB.
	MaxBody int64
	// MaxSessions is how many sessions and runs may be under way. 0 is 1,000.
	MaxSessions int
	// RunTime is how long one run may take. 0 is an hour.
	RunTime time.Duration
	// Keep is how long a result can be read again. 0 is 10 minutes.
	Keep time.Duration
	// Log gets a line for each request, and for what fails. Nil: nobody does.
	Log *slog.Logger
	// OnRequest is called after each request, for metrics. It must be safe for
	// concurrent use. May be nil.
	OnRequest func(Request)
}

// Request is what there is to say of a request that was answered.
type Request struct {
	// Endpoint is the method and the pattern of the path, as "GET /v1/head".
	Endpoint string
	// ID is that of the request, in the answer's header X-Request-Id.
	ID     string
	Caller string // empty if nobody knows
	Scope  state.Scope
	Status int
	Took   time.Duration
	// Received and Sent are the bytes of the bodies, as they went over the wire.
	Received, Sent int64
}

func (o *Options) withDefaults() (Options, error) {
	var own Options
	if o != nil {
		own = *o
	}
	if own.MaxBody < 0 || own.MaxSessions < 0 || own.RunTime < 0 || own.Keep < 0 {
		return own, errors.New("apiserver: a limit is negative: want more than 0, or 0 for the default")
	}
	if err := own.Kinds.Err(); err != nil {
		return own, fmt.Errorf("apiserver: %w", err)
	}
	if own.MaxBody == 0 {
		own.MaxBody = 64 << 20
	}
	if own.MaxSessions == 0 {
		own.MaxSessions = 1000
	}
	if own.RunTime == 0 {
		own.RunTime = time.Hour
	}
	if own.Keep == 0 {
		own.Keep = 10 * time.Minute
	}
	if own.Log == nil {
		own.Log = slog.New(slog.DiscardHandler)
	}
	return own, nil
}
