package docker

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/docker/cli/cli/connhelper"
	"github.com/moby/moby/client"
)

// Options are how to reach an engine. The zero value is ready to use.
type Options struct {
	// CertDir is the directory of ca.pem, cert.pem and key.pem for an address
	// tcp://…, as the docker command has them in DOCKER_CERT_PATH. Empty: no TLS.
	CertDir string
	// Command is the docker command, for stacks and builds: a name in PATH, or a
	// path. Defaults to "docker".
	Command string
	// Settle is how long a container that has no health check runs before it is
	// called healthy: one that ends at once isn't. Defaults to 2 s.
	Settle time.Duration
}

// Engine is a container engine. It is safe for concurrent use.
type Engine struct {
	api     *client.Client
	address string
	options Options

	clockMu sync.Mutex
	ahead   *time.Duration // of our clock, the engine's; nil until it was asked
}

// Open returns the engine at an address: unix:///run/docker.sock, tcp://host:2376
// or ssh://user@host, which runs ssh and, over there, docker. Nothing is connected
// yet, so an engine that doesn't answer is an error of the first call. opts may be
// nil. Call Close when done with it.
func Open(address string, opts *Options) (*Engine, error) {
	e := &Engine{address: address}
	if opts != nil {
		e.options = *opts
	}
	if e.options.Command == "" {
		e.options.Command = "docker"
	}
	if e.options.Settle == 0 {
		e.options.Settle = 2 * time.Second
	}
	settings, err := e.settings()
	if err != nil {
		return nil, fmt.Errorf("docker engine %q: %w", e.name(), err)
	}
	if e.api, err = client.New(settings...); err != nil {
		return nil, fmt.Errorf("docker engine %q: %w", e.name(), err)
	}
	return e, nil
}

// name is the address as errors have it: without a password.
func (e *Engine) name() string {
	u, err := url.Parse(e.address)
	if err != nil {
		return "?"
	}
	return u.Redacted()
}

func (e *Engine) settings() ([]client.Opt, error) {
	scheme, rest, ok := strings.Cut(e.address, "://")
	if !ok || rest == "" {
		return nil, fmt.Errorf("not an address: expected unix:///PATH, tcp://HOST:PORT or ssh://USER@HOST")
	}
	if e.options.CertDir != "" && scheme != "tcp" {
		return nil, fmt.Errorf("certificates are for tcp:// only, %s:// has none", scheme)
	}
	switch scheme {
	case "unix":
		return []client.Opt{client.WithHost(e.address)}, nil
	case "tcp":
		settings := []client.Opt{client.WithHost(e.address)}
		if dir := e.options.CertDir; dir != "" {
			settings = append(settings, client.WithTLSClientConfig(
				filepath.Join(dir, "ca.pem"), filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")))
		}
		return settings, nil
	case "ssh":
		helper, err := connhelper.GetConnectionHelper(e.address)
		if err != nil {
			return nil, err
		}
		// The dialer has to come last: WithHost sets one of its own.
		return []client.Opt{
			client.WithHTTPClient(&http.Client{Transport: &http.Transport{DialContext: helper.Dialer}}),
			client.WithHost(helper.Host),
			client.WithDialContext(helper.Dialer),
		}, nil
	}
	return nil, fmt.Errorf("unknown scheme %q: expected unix, tcp or ssh", scheme)
}

// Close closes the connections.
func (e *Engine) Close() error { return e.api.Close() }

// Ping asks the engine whether it is there.
func (e *Engine) Ping(ctx context.Context) error {
	_, err := e.api.Ping(ctx, client.PingOptions{})
	return e.failed(err)
}

// UnreachableError is an engine that can't be connected to. It may be there the next
// time: sync.Retryable is true of it.
type UnreachableError struct{ Err error }

// Error is that of the connection.
func (e *UnreachableError) Error() string { return e.Err.Error() }

// Unwrap returns the error of the connection.
func (e *UnreachableError) Unwrap() error { return e.Err }

// Retryable says that trying again may succeed.
func (e *UnreachableError) Retryable() bool { return true }

// reach tells an engine that can't be connected to from one that refuses: the client
// keeps no error of the system's by which sync.Retryable would know.
func reach(err error) error {
	if client.IsErrConnectionFailed(err) {
		return &UnreachableError{err}
	}
	return err
}

// failed says which engine failed.
func (e *Engine) failed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("docker engine %q: %w", e.name(), reach(err))
}

// errorf says what was done. To whom, the engine of sync says.
func errorf(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), reach(err))
}

// now is the time on the engine's clock, which may be another than ours. How far
// they are apart is asked for once.
func (e *Engine) now(ctx context.Context) (time.Time, error) {
	e.clockMu.Lock()
	defer e.clockMu.Unlock()
	if e.ahead == nil {
		asked := time.Now()
		result, err := e.api.Info(ctx, client.InfoOptions{})
		if err != nil {
			return time.Time{}, err
		}
		theirs, err := time.Parse(time.RFC3339Nano, result.Info.SystemTime)
		if err != nil {
			return time.Time{}, fmt.Errorf("the engine's time: %w", err)
		}
		ahead := theirs.Sub(asked)
		e.ahead = &ahead
	}
	return time.Now().Add(*e.ahead), nil
}
