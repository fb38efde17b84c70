package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/trueup-go/trueup/apisyncer/apiserver"
	"github.com/trueup-go/trueup/examples/internal/backends"
	"github.com/trueup-go/trueup/sync/synccli"
)

// grace is how long each step of the end may take: what is under way ends by itself,
// then it is told to.
const grace = 10 * time.Second

// Command returns the command, for one run.
func Command() synccli.Command {
	s := &server{}
	return synccli.Command{
		Name: "serve", Args: []string{}, Flags: s.flags, Run: s.run,
		Short: "serve what is recorded, for --backend https://…",
		Long: "Serves the scopes that are recorded in a place, for programs that are given --backend\n" +
			"https://…, until it is interrupted. The lines of the token file say who may do what:\n" +
			"TOKEN NAME ORG[,ORG…], and ro for those who may only read; what follows a # is a comment.\n" +
			"It listens on loopback addresses only, unless it has both a token file and TLS. A line is\n" +
			"logged for each request.",
	}
}

// server is one run of the command.
type server struct {
	listen, backend, tokenFile, cert, key string
}

func (s *server) flags(flags *flag.FlagSet) {
	flags.StringVar(&s.listen, "listen", "127.0.0.1:8080", "the `ADDRESS` to listen on, HOST:PORT; port 0 is any that is free")
	flags.StringVar(&s.backend, "backend", "", "where all of it is recorded, `file:DIR|postgres://USER@HOST/DATABASE`; file: has DIR/ORG/APP for each scope")
	flags.StringVar(&s.tokenFile, "token-file", "", "the `FILE` that says who may do what (default: anybody on this machine, everything)")
	flags.StringVar(&s.cert, "tls-cert", "", "the `FILE` of the server's certificate, in PEM, with those that lead to its authority's")
	flags.StringVar(&s.key, "tls-key", "", "the `FILE` of the certificate's key, in PEM")
}

func (s *server) run(ctx context.Context, call *synccli.Call) error {
	address, err := s.address()
	if err != nil {
		return err
	}
	log := slog.NewTextHandler(call.Err, nil)
	web := &http.Server{
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(log, slog.LevelWarn),
	}
	authenticate := anybody
	if s.tokenFile != "" {
		known, err := readTokens(s.tokenFile)
		if err != nil {
			return err
		}
		authenticate = known.authenticate
	}
	if s.cert != "" {
		pair, err := tls.LoadX509KeyPair(s.cert, s.key)
		if err != nil {
			return fmt.Errorf("read %s and %s: %w", s.cert, s.key, err)
		}
		web.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	}
	scopes, err := backends.OpenScopes(ctx, s.backend)
	if err != nil {
		return err
	}
	api, err := apiserver.New(scopes.Open, authenticate, &apiserver.Options{Log: slog.New(log)})
	if err != nil {
		return errors.Join(err, scopes.Close())
	}
	web.Handler = api
	listener, err := net.ListenTCP("tcp", address)
	if err != nil {
		return errors.Join(err, scopes.Close())
	}
	fmt.Fprintf(call.Out, "listening on %s\n", s.url(listener))
	if err := serve(ctx, listener, web, api); err != nil {
		return err // something may be in use still, and Close would wait for it
	}
	return scopes.Close()
}

// serve serves until the context is over.
func serve(ctx context.Context, listener net.Listener, web *http.Server, api *apiserver.Server) error {
	served := make(chan error, 1)
	go func() {
		if web.TLSConfig != nil {
			served <- web.ServeTLS(listener, "", "")
		} else {
			served <- web.Serve(listener)
		}
	}()
	select {
	case why := <-served: // it can't go on
		served <- why
	case <-ctx.Done():
	}
	err := end(context.WithoutCancel(ctx), web, api)
	if why := <-served; !errors.Is(why, http.ErrServerClosed) {
		err = errors.Join(why, err)
	}
	return err
}

// end lets what is under way end for a while, then ends it. Whoever waits for it hears
// what became of it.
func end(ctx context.Context, web *http.Server, api *apiserver.Server) error {
	within := func(do func(context.Context) error) error {
		ctx, cancel := context.WithTimeout(ctx, grace)
		defer cancel()
		return do(ctx)
	}
	_ = within(web.Shutdown) // what has not ended by then is ended next
	err := within(api.Close)
	_ = within(web.Shutdown) // for the answers of what was ended
	return errors.Join(err, web.Close())
}

// address returns where to listen, if that is safe.
func (s *server) address() (*net.TCPAddr, error) {
	switch {
	case s.backend == "":
		return nil, &synccli.UsageError{Problem: "--backend is missing", Hint: "give --backend file:DIR or --backend postgres://USER@HOST/DATABASE"}
	case (s.cert == "") != (s.key == ""):
		return nil, &synccli.UsageError{Problem: "--tls-cert and --tls-key go together"}
	}
	address, err := net.ResolveTCPAddr("tcp", s.listen)
	if err != nil {
		return nil, &synccli.UsageError{Problem: fmt.Sprintf("--listen %q: %v", s.listen, err), Hint: "want HOST:PORT"}
	}
	if address.IP.IsLoopback() {
		return address, nil
	}
	switch {
	case s.tokenFile == "":
		return nil, fmt.Errorf("--listen %s: others could get there, and without --token-file anybody could do everything: give one, or listen on 127.0.0.1", s.listen)
	case s.cert == "":
		return nil, fmt.Errorf("--listen %s: others could get there, and without TLS read the tokens on their way: give --tls-cert and --tls-key, or listen on 127.0.0.1 behind something that has TLS", s.listen)
	}
	return address, nil
}

// url is what to give to --backend, on this machine.
func (s *server) url(listener net.Listener) string {
	if s.cert != "" {
		return "https://" + listener.Addr().String()
	}
	return "http://" + listener.Addr().String()
}

// isLoopback tells whether a Host is this machine's, from itself.
func isLoopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil { // there is no port
		host = strings.Trim(hostport, "[]")
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
