package backends

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/trueup-go/trueup/apisyncer"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// Server says how a server is asked: who is asking, and what the server's certificate
// is checked with.
type Server struct {
	// TokenEnv is the variable of the environment that holds the token.
	TokenEnv string
	// Getenv reads it. May be nil.
	Getenv func(name string) string

	tokenFile, caFile string
}

// Flags adds the flags.
func (s *Server) Flags(flags *flag.FlagSet) {
	flags.StringVar(&s.tokenFile, "token-file", "", "the `FILE` that holds the token for a server (default: what "+s.TokenEnv+" says)")
	flags.StringVar(&s.caFile, "ca-file", "", "a `FILE` of certificates, in PEM, that a server's may be signed with beside the system's")
}

func (s *Server) open(_ context.Context, location string, scope state.Scope) (sync.Backend, error) {
	token, err := s.token()
	if err != nil {
		return nil, err
	}
	client, err := s.client()
	if err != nil {
		return nil, err
	}
	opts := &apisyncer.Options{Client: client}
	if token != "" {
		opts.Authorize = func(r *http.Request) error {
			r.Header.Set("Authorization", "Bearer "+token)
			return nil
		}
	}
	backend, err := apisyncer.New(location, scope, opts)
	if err != nil {
		return nil, err
	}
	return connected{backend, client}, nil
}

// token returns what says who is asking; empty if nothing does.
func (s *Server) token() (string, error) {
	if s.tokenFile == "" {
		if s.Getenv == nil {
			return "", nil
		}
		return oneToken(s.TokenEnv, s.Getenv(s.TokenEnv))
	}
	text, err := os.ReadFile(s.tokenFile)
	if err != nil {
		return "", err
	}
	token, err := oneToken(s.tokenFile, string(text))
	if err == nil && token == "" {
		err = fmt.Errorf("%s: there is no token in it", s.tokenFile)
	}
	return token, err
}

// oneToken returns the one word that a text is. The error doesn't show it.
func oneToken(source, text string) (string, error) {
	words := strings.Fields(text)
	switch len(words) {
	case 0:
		return "", nil
	case 1:
		return words[0], nil
	}
	return "", fmt.Errorf("%s: want a token and nothing else", source)
}

func (s *Server) client() (*http.Client, error) {
	transport := &http.Transport{}
	if standard, ok := http.DefaultTransport.(*http.Transport); ok {
		transport = standard.Clone()
	}
	if s.caFile == "" {
		return &http.Client{Transport: transport}, nil
	}
	text, err := os.ReadFile(s.caFile)
	if err != nil {
		return nil, err
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("read the system's certificates: %w", err)
	}
	if !roots.AppendCertsFromPEM(text) {
		return nil, errors.New(s.caFile + ": there is no certificate in it: want PEM")
	}
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	return &http.Client{Transport: transport}, nil
}

// connected is a backend that closes its connections.
type connected struct {
	*apisyncer.Backend

	client *http.Client
}

// Close implements io.Closer.
func (c connected) Close() error {
	c.client.CloseIdleConnections()
	return nil
}
