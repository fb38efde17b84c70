package backends

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/trueup-go/trueup/dbsyncer"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/filesyncer"
)

// Scopes are the backends of all scopes in one place, for a server. It is safe for
// concurrent use.
type Scopes struct {
	// Open opens the backend of a scope. It costs nothing.
	Open func(ctx context.Context, scope state.Scope) (sync.Backend, error)
	// Close gives up what they share, when none of them is in use any more.
	Close func() error
}

// OpenScopes opens a place. file:DIR has a directory for each scope below DIR;
// postgres://… is what it is for one scope, too, with connections that all scopes share.
func OpenScopes(ctx context.Context, location string) (*Scopes, error) {
	scheme, rest, _ := strings.Cut(location, ":")
	switch scheme {
	case "file":
		if rest == "" {
			return nil, fmt.Errorf("--backend %s: the directory has no name", location)
		}
		return &Scopes{
			Open: func(_ context.Context, scope state.Scope) (sync.Backend, error) {
				return filesyncer.New(filepath.Join(rest, segment(scope.Org), segment(scope.App)), scope, nil)
			},
			Close: func() error { return nil },
		}, nil
	case "postgres", "postgresql":
		pool, err := connect(ctx, location)
		if err != nil {
			return nil, err
		}
		return &Scopes{
			Open: func(_ context.Context, scope state.Scope) (sync.Backend, error) {
				return dbsyncer.New(pool, scope, nil)
			},
			Close: func() error { pool.Close(); return nil },
		}, nil
	}
	return nil, fmt.Errorf("--backend %s:… can't be served: want file:DIR or postgres://USER@HOST/DATABASE", scheme)
}

// segment returns the name of the directory for an org, or an app. Different ones have
// different names, also where file systems don't tell capitals from small letters, and
// a name is nothing but a name: whatever is not a small letter, a digit, a hyphen or an
// underscore, or a dot further on, is written as %XX. What gets too long so ends with a
// hash.
func segment(name string) string {
	const longest = 200 // of the 255 bytes that file systems allow
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		plain := c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' && i > 0
		if plain {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	if b.Len() <= longest {
		return b.String()
	}
	sum := sha256.Sum256([]byte(name))
	return b.String()[:longest/2] + "%%" + hex.EncodeToString(sum[:])
}
