// Package apiserver serves backends over HTTP: the other side of package apisyncer.
//
//	handler, err := apiserver.New(open, authenticate, nil)
//	http.Handle("/sync/", http.StripPrefix("/sync", handler))
//
// A plan whose kinds have no Handlers comes as one request, a run, and is carried out
// here, with the same engine. It goes on when the client is gone, and can be asked for
// again by its id. A client whose kinds have Handlers holds a session in place of that,
// and commits one batch after another; a session that is not heard of for
// sync.LeaseTTL is closed. No transaction of a backend is open between two requests.
//
// Runs and sessions live in this process: a client whose server is another one after a
// restart is told that its lease was lost, and syncs again. In front of several servers
// a balancer has to send what has the same run or session in its path to the same one.
package apiserver

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"github.com/trueup-go/trueup/apisyncer/internal/wire"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// Server is an http.Handler. It is safe for concurrent use.
type Server struct {
	open         Open
	authenticate Authenticate
	opts         Options
	mux          *http.ServeMux
	sessions     *sessions
	runs         *runs
	parts        *parts
	openAPI      []byte
}

// New returns a server.
func New(open Open, authenticate Authenticate, opts *Options) (*Server, error) {
	own, err := opts.withDefaults()
	switch {
	case err != nil:
		return nil, err
	case open == nil || authenticate == nil:
		return nil, errors.New("apiserver: to open a backend, and to authenticate a request, are the host's to say")
	}
	s := &Server{open: open, authenticate: authenticate, opts: own, mux: http.NewServeMux()}
	s.sessions, s.runs, s.parts = newSessions(own), newRuns(own), newParts(own)
	endpoints := s.endpoints()
	if s.openAPI, err = openAPI(endpoints); err != nil {
		return nil, fmt.Errorf("apiserver: describe the API: %w", err)
	}
	for pattern, e := range endpoints {
		s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, pattern, e) })
	}
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.serve(w, r, "unknown", endpoint{public: true, do: func(*exchange) error { return errNoEndpoint }})
	})
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Wait returns when no run is under way. A server that is shut down may call it between
// http.Server.Shutdown and Close, to let them end.
func (s *Server) Wait(ctx context.Context) error { return s.runs.wait(ctx) }

// Close ends all sessions and cancels all runs, and returns when they have ended. A
// server that is shut down should call it, after http.Server.Shutdown.
func (s *Server) Close(ctx context.Context) error {
	return errors.Join(s.runs.close(ctx), s.sessions.close(ctx))
}

// endpoint is what can be asked for.
type endpoint struct {
	public bool // nobody has to say who they are
	write  bool // it takes the right to write
	do     func(x *exchange) error

	does    string // in a sentence
	query   string // a parameter beside the scope; empty if there is none
	in, out any    // what it reads and writes; a wire.Line stands for a stream
}

func (s *Server) endpoints() map[string]endpoint {
	return map[string]endpoint{
		"GET /v1/openapi.json": {public: true, do: s.describe, does: "Describes this API.", out: object{}},
		"GET /v1/head": {
			do: s.head, does: "Returns the State's head; with the parameter key the digest key, too, or that there is one, if the caller may only read.",
			query: "key", out: wire.Head{},
		},
		"GET /v1/records":         {do: s.records, does: "Streams the records in key order.", out: wire.Line{}},
		"POST /v1/declared":       {do: s.declared, does: "Streams the declarations with these checksums, without those that aren't there.", in: wire.Declared{}, out: wire.Line{}},
		"GET /v1/history":         {do: s.history, does: "Streams the heads of the States that are kept, newest first.", out: wire.Line{}},
		"GET /v1/states/{serial}": {do: s.stateAt, does: "Streams an earlier State: its head, then its records.", out: wire.Line{}},
		"POST /v1/observations":   {do: s.observe, does: "Streams what each of the records is now, in their order.", in: wire.Observe{}, out: wire.Line{}},

		"GET /v1/digest-key": {write: true, do: s.digestKey, does: "Returns the digest key; null if there is none.", out: wire.DigestKey{}},
		"PUT /v1/digest-key": {write: true, do: s.keepDigestKey, does: "Keeps a digest key unless there is one, and returns the one that is kept.", in: wire.DigestKey{}, out: wire.DigestKey{}},
		"GET /v1/lease":      {do: s.holder, does: "Returns who holds the lease.", out: wire.Lease{}},
		"DELETE /v1/lease":   {write: true, do: s.unlock, does: "Ends the lease of a holder, if it is still that one's.", in: wire.Lease{}},

		"PUT /v1/parts/{sum}":  {write: true, do: s.putPart, does: "Keeps a part of a run for a while, by its checksum.", in: []byte{}},
		"POST /v1/runs/{id}":   {write: true, do: s.run, does: "Begins a run, unless it has begun, and streams its events and its result. It goes on when the client is gone.", in: wire.Run{}, out: wire.Line{}},
		"GET /v1/runs/{id}":    {write: true, do: s.runAgain, does: "Streams the events and the result of a run that has begun.", out: wire.Line{}},
		"DELETE /v1/runs/{id}": {write: true, do: s.cancelRun, does: "Cancels a run. What is under way is ended well."},

		"POST /v1/sessions/{id}":         {write: true, do: s.begin, does: "Takes the lease for a session, which is closed when it isn't heard of for 15 seconds.", in: wire.Begin{}, out: wire.Head{}},
		"POST /v1/sessions/{id}/commits": {write: true, do: s.commit, does: "Carries out changes and commits a delta with them.", in: wire.Commit{}, out: wire.Head{}},
		"POST /v1/sessions/{id}/renewal": {write: true, do: s.renew, does: "Renews the lease.", out: wire.Renewed{}},
		"DELETE /v1/sessions/{id}":       {write: true, do: s.closeSession, does: "Closes a session and gives up its lease.", in: wire.Conclusion{}},
	}
}

var (
	errNoEndpoint = &refusal{http.StatusNotFound, "there is nothing here: this server speaks version 1 of the protocol, under /v1/"}
	errNoScope    = &refusal{http.StatusNotFound, "there is no such scope, or it is not yours to see"}
	errNobody     = &refusal{http.StatusUnauthorized, "who are you? Send a token, or a certificate, that this server knows"}
	errReadOnly   = &refusal{http.StatusForbidden, "you may read this scope, and not write to it"}
	errClosing    = &sync.ThrottledError{After: time.Second, Err: errors.New("the server is about to stop")}
	errBusy       = &sync.ThrottledError{After: time.Second, Err: errors.New("the server has too many runs and sessions under way")}
)

// refusal is an error that is the request's, with its status.
type refusal struct {
	status int
	text   string
}

// Error implements error.
func (e *refusal) Error() string { return e.text }

func badRequest(format string, args ...any) error {
	return &refusal{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// exchange is a request and its answer.
type exchange struct {
	*http.Request
	w       *answer
	server  *Server
	id      string
	caller  *Caller
	scope   state.Scope
	backend sync.Backend
	reason  error // what is logged in place of the error that is answered
}

// serve answers a request.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, pattern string, e endpoint) {
	began := time.Now()
	x := &exchange{Request: r, w: &answer{ResponseWriter: w}, server: s, id: requestID(r)}
	received := &counting{ReadCloser: http.MaxBytesReader(w, r.Body, s.opts.MaxBody)}
	r.Body = received
	x.w.Header().Set("X-Request-Id", x.id)
	err := s.guarded(x, e)
	if err != nil {
		x.fail(err)
	}
	done := Request{
		Endpoint: pattern, ID: x.id, Scope: x.scope, Status: x.w.status, Took: time.Since(began), Received: received.n, Sent: x.w.n,
	}
	if x.caller != nil {
		done.Caller = x.caller.Name
	}
	level := slog.LevelInfo
	if done.Status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	attrs := []slog.Attr{
		slog.String("endpoint", pattern), slog.String("id", x.id), slog.String("caller", done.Caller),
		slog.String("scope", x.scope.String()), slog.Int("status", done.Status), slog.Duration("took", done.Took),
	}
	if reason := cmp.Or(x.reason, err); reason != nil {
		attrs = append(attrs, slog.Any("error", reason))
	}
	s.opts.Log.LogAttrs(r.Context(), level, "request", attrs...)
	if s.opts.OnRequest != nil {
		s.opts.OnRequest(done)
	}
}

// guarded does what is asked for, if the caller may ask for it. A panic is an error.
func (s *Server) guarded(x *exchange, e endpoint) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(s.opts.Log.With(slog.String("id", x.id)), p)
		}
	}()
	if e.public {
		return e.do(x)
	}
	if x.caller, err = s.authenticate(x.Request); err != nil || x.caller == nil {
		x.reason = err
		x.w.Header().Set("WWW-Authenticate", "Bearer") // HTTP wants one named
		return errNobody
	}
	if x.scope, err = scopeOf(x.URL.RawQuery); err != nil {
		return err
	}
	switch may := x.caller.May; {
	case may == nil || !may(x.scope.Org, false):
		return errNoScope
	case e.write && !may(x.scope.Org, true):
		return errReadOnly
	}
	switch x.backend, err = s.open(x.Context(), x.scope); {
	case errors.Is(err, fs.ErrNotExist):
		return errNoScope
	case err != nil:
		return err
	}
	return e.do(x)
}

// maxName is how many bytes the name of an org or an app has at most: backends make
// files of them.
const maxName = 255

// scopeOf returns the scope that a query names. It names it once, so that nobody on
// the way takes it for another one.
func scopeOf(query string) (scope state.Scope, err error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return scope, badRequest("the query: %v", err)
	}
	for name, into := range map[string]*string{"org": &scope.Org, "app": &scope.App} {
		if len(values[name]) != 1 || len(values[name][0]) > maxName {
			return state.Scope{}, badRequest("the scope: want one %s of 1 to %d bytes in the query", name, maxName)
		}
		*into = values[name][0]
	}
	if err := scope.Validate(); err != nil {
		return state.Scope{}, badRequest("the scope: %v", err)
	}
	return scope, nil
}

// panicked logs a panic and returns what is said of it outside.
func panicked(log *slog.Logger, value any) error {
	log.Error("panic", slog.Any("value", value), slog.String("stack", string(debug.Stack())))
	return errors.New("the server failed; its log says more")
}

// mayWrite tells whether the caller may write to the scope.
func (x *exchange) mayWrite() bool { return x.caller.May(x.scope.Org, true) }

// name is a run's or session's: the same id of another caller, or of another scope, is
// another one.
func (x *exchange) name() (name, error) {
	id := x.PathValue("id")
	if len(id) < 16 || len(id) > 64 || strings.ContainsFunc(id, func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-'
	}) {
		return name{}, badRequest("an id is 16 to 64 letters, digits and hyphens")
	}
	return name{x.scope, x.caller.Name, id}, nil
}

type name struct {
	scope      state.Scope
	caller, id string
}

// requestID is the one that the client gave, if it is a sensible one, or a new one.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	if id == "" || len(id) > 64 || strings.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return rand.Text()
	}
	return id
}

// problem is what an error looks like from outside.
func problem(err error) *wire.Problem {
	p := wire.ProblemOf(err)
	var refused *refusal
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &refused):
		p.Status = refused.status
	case errors.As(err, &large):
		p.Status = http.StatusRequestEntityTooLarge
	default:
		return p
	}
	p.Title = http.StatusText(p.Status)
	return p
}
