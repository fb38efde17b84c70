package apisyncer

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/trueup-go/trueup/apisyncer/internal/wire"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// Options of a Backend. The zero value is the default.
type Options struct {
	// Client sends the requests. Nil: one with the proxy of the environment, and
	// connections that are used again. Its Timeout should be 0.
	Client *http.Client
	// Authorize adds to each request what says who it is from, such as a token in the
	// header Authorization. Nil: nothing does, or the Client's certificate. It must be
	// safe for concurrent use.
	Authorize func(r *http.Request) error
	// UserAgent is what the requests say they come from. Empty: this library.
	UserAgent string
	// Timeout is how long the server may say nothing while it answers. 0 is 30 s.
	Timeout time.Duration
	// Plain allows http:// for addresses that are not of this machine: whatever is
	// sent, secrets included, can be read on the way.
	Plain bool
}

// Backend records one scope on a server. It is safe for concurrent use.
type Backend struct {
	base   *url.URL
	scope  state.Scope
	opts   Options
	client *http.Client
	// key is the digest key, once the server has told it: it never changes. noKey says
	// that the last head came without one, and nobody has asked for it since; withheld,
	// that there is one for others.
	key             atomic.Pointer[[]byte]
	noKey, withheld atomic.Bool
	// seen is how many events of which run were handed on.
	seen atomic.Pointer[progress]
}

var (
	_ tusync.Backend      = (*Backend)(nil)
	_ tusync.Historian    = (*Backend)(nil)
	_ tusync.DigestKeeper = (*Backend)(nil)
	_ tusync.Unlocker     = (*Backend)(nil)
	_ tusync.Observer     = (*Backend)(nil)
	_ tusync.Runner       = (*Backend)(nil)
)

// New returns a Backend for a scope on the server at an address: https:// and what the
// server is mounted at. It sends nothing yet.
func New(address string, scope state.Scope, opts *Options) (*Backend, error) {
	if err := scope.Validate(); err != nil {
		return nil, err
	}
	base, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("apisyncer: the address is no URL: want https://HOST/PATH") // it may hold a password
	}
	b := &Backend{base: base, scope: scope}
	if opts != nil {
		b.opts = *opts
	}
	switch {
	case base.Host == "" || base.Scheme != "https" && base.Scheme != "http":
		return nil, fmt.Errorf("apisyncer: the address is %s: want https://HOST/PATH", base.Redacted())
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		return nil, fmt.Errorf("apisyncer: the address %s holds more than https://HOST/PATH: who is asking is said by Options.Authorize", base.Redacted())
	case base.Scheme == "http" && !b.opts.Plain && !isLoopback(base.Hostname()):
		return nil, fmt.Errorf("apisyncer: %s is not encrypted: use https", base)
	}
	b.opts.Timeout = cmp.Or(b.opts.Timeout, 30*time.Second)
	b.opts.UserAgent = cmp.Or(b.opts.UserAgent, "trueup-apisyncer/1")
	if b.client = b.opts.Client; b.client == nil {
		b.client = &http.Client{}
	}
	return b, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Scope returns whose State it records.
func (b *Backend) Scope() state.Scope { return b.scope }

// Error says that a server's answer was not one of the protocol's, or that there was
// none.
type Error struct {
	// URL is what was asked for, without the scope.
	URL string
	// Status is the answer's, 0 if there was none.
	Status int
	// After is how long to wait before it is asked again, 0 if it wasn't said.
	After time.Duration
	// Err is the cause.
	Err error
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("%s: %v", e.URL, e.Err) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Retryable tells whether the same may succeed a little later.
func (e *Error) Retryable() bool {
	switch e.Status {
	case 0:
		return !errors.Is(e.Err, context.Canceled)
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// request is one to be sent.
type request struct {
	method, path string
	query        url.Values
	body         any    // as JSON; nil if there is none
	raw          []byte // in its place
	contentType  string // of raw
	zipped       bool   // raw is
}

// send sends a request and returns the answer, of status 2xx; who gets it closes it.
// It is cut off when the server says nothing for as long as Options.Timeout.
func (b *Backend) send(ctx context.Context, q request) (answer *http.Response, err error) {
	address := b.base.JoinPath(wire.Prefix, q.path)
	shown := address.String()
	query := url.Values{"org": {b.scope.Org}, "app": {b.scope.App}}
	for name, values := range q.query {
		query[name] = values
	}
	address.RawQuery = query.Encode()
	if q.body != nil {
		if q.raw, q.zipped, err = b.encoded(q.body); err != nil {
			return nil, err
		}
		q.contentType = "application/json"
	}
	ctx, cancel := context.WithCancelCause(ctx)
	watch := time.AfterFunc(b.opts.Timeout, func() { cancel(errTimeout) })
	defer func() {
		if err != nil {
			watch.Stop()
			cancel(nil)
		}
	}()
	r, err := http.NewRequestWithContext(ctx, q.method, address.String(), bytes.NewReader(q.raw))
	if err != nil {
		return nil, err
	}
	if plain := r.GetBody; len(q.raw) > 0 {
		r.GetBody = func() (io.ReadCloser, error) {
			body, err := plain()
			return &watched{body, watch, b.opts.Timeout, func() {}}, err
		}
		if r.Body, err = r.GetBody(); err != nil {
			return nil, err
		}
	}
	r.Header.Set("User-Agent", b.opts.UserAgent)
	if q.contentType != "" {
		r.Header.Set("Content-Type", q.contentType)
	}
	if q.zipped {
		r.Header.Set("Content-Encoding", "gzip")
	}
	if b.opts.Authorize != nil {
		if err := b.opts.Authorize(r); err != nil {
			return nil, fmt.Errorf("authorize a request to %s: %w", b.base, err)
		}
	}
	answer, err = b.client.Do(r)
	if err != nil {
		var outer *url.Error
		if errors.As(err, &outer) { // it says the whole URL again
			err = outer.Err
		}
		if cause := context.Cause(ctx); errors.Is(err, context.Canceled) && cause != nil {
			err = cause
		}
		return nil, &Error{URL: shown, Err: err}
	}
	answer.Body = &watched{answer.Body, watch, b.opts.Timeout, func() {
		watch.Stop()
		cancel(nil)
	}}
	if answer.StatusCode/100 != 2 {
		defer answer.Body.Close() //nolint:errcheck // what was read of it says what it is
		return nil, failure(shown, answer)
	}
	return answer, nil
}

// errTimeout says that a server is silent. It is Retryable.
var errTimeout = fmt.Errorf("the server doesn't answer: %w", context.DeadlineExceeded)

// watched is a body, of a request or an answer, whose reads each put off the end.
type watched struct {
	io.ReadCloser
	watch   *time.Timer
	timeout time.Duration
	done    func()
}

// Read implements io.Reader.
func (w *watched) Read(p []byte) (int, error) {
	w.watch.Reset(w.timeout)
	return w.ReadCloser.Read(p)
}

// Close implements io.Closer.
func (w *watched) Close() error {
	err := w.ReadCloser.Close()
	w.done()
	return err
}

// encoded returns a value as JSON, compressed if that is worth it.
func (b *Backend) encoded(value any) (data []byte, zipped bool, err error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, false, err
	}
	return b.compressed(text)
}

// compressed returns a text compressed if that is worth it: not on this machine.
func (b *Backend) compressed(text []byte) (data []byte, zipped bool, err error) {
	const worthwhile = 1 << 10
	if len(text) < worthwhile || isLoopback(b.base.Hostname()) && len(text) <= partSize {
		return text, false, nil
	}
	var out bytes.Buffer
	zip, _ := gzip.NewWriterLevel(&out, gzip.BestSpeed) // there is such a level
	if _, err = zip.Write(text); err == nil {
		err = zip.Close()
	}
	return out.Bytes(), true, err
}

// failure returns the error that an answer is.
func failure(shown string, answer *http.Response) error {
	const most = 1 << 20
	after := time.Duration(0)
	if seconds, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil && seconds > 0 {
		after = time.Duration(seconds) * time.Second
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, most))
	if err != nil {
		return &Error{URL: shown, Err: err}
	}
	kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	var p wire.Problem
	if kind == "application/problem+json" && json.Unmarshal(text, &p) == nil {
		return p.Err()
	}
	what := fmt.Errorf("answered with %s, which is not of this protocol: check the address, or upgrade the server or this program", answer.Status)
	if answer.StatusCode >= http.StatusInternalServerError || answer.StatusCode == http.StatusTooManyRequests {
		what = errors.New("answered with " + strings.TrimSpace(answer.Status))
	}
	return &Error{URL: shown, Status: answer.StatusCode, After: after, Err: what}
}

// call sends a request and decodes the answer, if into isn't nil.
func (b *Backend) call(ctx context.Context, q request, into any) error {
	answer, err := b.send(ctx, q)
	if err != nil {
		return err
	}
	defer answer.Body.Close() //nolint:errcheck // all of it was read
	if into == nil {
		_, err = io.Copy(io.Discard, answer.Body)
	} else {
		err = json.NewDecoder(answer.Body).Decode(into)
	}
	if err != nil {
		return &Error{URL: b.base.JoinPath(wire.Prefix, q.path).String(), Err: whole(err)}
	}
	return nil
}

// lines sends a request and hands on the lines of its answer but for the last.
func (b *Backend) lines(ctx context.Context, q request, each func(line *wire.Line) error) error {
	answer, err := b.send(ctx, q)
	if err != nil {
		return err
	}
	defer answer.Body.Close() //nolint:errcheck // all of it was read
	lines := bufio.NewReaderSize(answer.Body, 64<<10)
	for n := 0; ; n++ {
		var line wire.Line
		text, err := wire.ReadLine(lines)
		if err == nil {
			err = line.Decode(text)
		}
		if err != nil {
			return &Error{URL: b.base.JoinPath(wire.Prefix, q.path).String(), Err: whole(err)}
		}
		switch {
		case line.Problem != nil && line.Result == nil:
			return line.Problem.Err()
		case line.End != nil && *line.End != n:
			return &Error{URL: b.base.JoinPath(wire.Prefix, q.path).String(), Err: io.ErrUnexpectedEOF}
		case line.End != nil:
			return nil
		}
		if err := each(&line); err != nil {
			_, _ = io.CopyN(io.Discard, answer.Body, 1) // an end that was read lets the connection be used again
			return err
		}
	}
}

// whole says of a body that ended too early that it did.
func whole(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
