// Package wire is what goes between a client and a server: the messages of the
// protocol, and how a stream of them shows that it is whole.
//
// A scope is named by the query parameters org and app: a path would be cleaned on
// its way. Whatever may be many comes as lines of JSON, of which the last one says
// that it is the last: a stream that breaks off is told from one that ends.
package wire

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// Prefix begins every path, and names the version of the protocol.
const Prefix = "/v1/"

// Head is a State's head.
type Head struct {
	Head  state.Head  `json:"head"`
	Token state.Token `json:"token"`
	// DigestKey is the scope's, for those who may write; empty if it has none.
	DigestKey []byte `json:"digest_key,omitempty"`
	// KeyWithheld says that it has one, and that the caller may only read.
	KeyWithheld bool `json:"key_withheld,omitempty"`
}

// HeadOf returns a head with its token, which its JSON doesn't have.
func HeadOf(h state.Head) Head { return Head{Head: h, Token: h.Token} }

// State returns the head.
func (h Head) State() state.Head {
	own := h.Head
	own.Token = h.Token
	return own
}

// Declared asks for declarations.
type Declared struct {
	Checksums []state.Checksum `json:"checksums"`
}

// DigestKey is a key to keep, or the one that is kept.
type DigestKey struct {
	Key []byte `json:"key"`
}

// Lease is who holds the lease; Holder is nil if nobody does.
type Lease struct {
	Holder *Holder `json:"holder"`
}

// Holder is who holds the lease.
type Holder struct {
	Owner   string    `json:"owner"`
	Since   time.Time `json:"since"`
	Expires time.Time `json:"expires"`
}

// HolderOf returns the holder that an error names, nil for nil.
func HolderOf(e *sync.LockedError) *Holder {
	if e == nil {
		return nil
	}
	return &Holder{Owner: e.Owner, Since: e.Since, Expires: e.Expires}
}

// Locked returns the error that names the holder, nil for nil.
func (h *Holder) Locked(scope state.Scope) *sync.LockedError {
	if h == nil {
		return nil
	}
	return &sync.LockedError{Scope: scope, Owner: h.Owner, Since: h.Since, Expires: h.Expires}
}

// Begin begins a session.
type Begin struct {
	Owner string `json:"owner"`
}

// Commit is a commit of a session, with the changes that the backend is to carry out
// with it.
type Commit struct {
	Changes []Change    `json:"changes,omitempty"`
	Delta   state.Delta `json:"delta"`
}

// Renewed is until when a lease lasts, by the server's clock.
type Renewed struct {
	Until time.Time `json:"until"`
}

// Conclusion is how a session ends: Problem is nil if all went well, and Concluded
// says that anything was said about it.
type Conclusion struct {
	Concluded bool     `json:"concluded"`
	Problem   *Problem `json:"problem,omitempty"`
}

// Change is a change that a backend carries out.
type Change struct {
	Op       string          `json:"op"` // create, update, adopt, delete
	Desired  *state.Resource `json:"desired,omitempty"`
	Checksum state.Checksum  `json:"checksum,omitzero"`
	Edges    []string        `json:"edges,omitempty"`
	Config   json.RawMessage `json:"config,omitempty"`
	ID       string          `json:"id,omitempty"`
	Recorded *state.Record   `json:"recorded,omitempty"`
	Prior    *state.Resource `json:"prior,omitempty"`
	Replaces bool            `json:"replaces,omitempty"`
}

// ChangeOf returns a change as it is sent. What it says for people is left out.
func ChangeOf(change diff.Change) (Change, error) {
	target := func(op string, t *diff.Target) Change {
		c := Change{Op: op, Desired: t.Desired, Checksum: t.Checksum, Config: t.Config}
		for _, edge := range t.Edges {
			c.Edges = append(c.Edges, edge.String())
		}
		return c
	}
	switch c := change.(type) {
	case *diff.Create:
		own := target("create", &c.Target)
		own.ID, own.Recorded, own.Prior, own.Replaces = c.ID, c.Recorded, c.Prior, c.Replaces
		return own, nil
	case *diff.Update:
		own := target("update", &c.Target)
		own.Recorded, own.Prior = c.Recorded, c.Prior
		return own, nil
	case *diff.Adopt:
		own := target("adopt", &c.Target)
		own.ID, own.Recorded = c.ID, c.Recorded
		return own, nil
	case *diff.Delete:
		return Change{Op: "delete", Recorded: c.Recorded, Prior: c.Prior, Replaces: c.Replaced}, nil
	}
	return Change{}, fmt.Errorf("a change of type %T can't be sent", change)
}

// Diff returns the change.
func (c *Change) Diff() (diff.Change, error) {
	target := diff.Target{Desired: c.Desired, Checksum: c.Checksum, Config: c.Config}
	for _, text := range c.Edges {
		key, err := state.ParseKey(text)
		if err != nil {
			return nil, err
		}
		target.Edges = append(target.Edges, key)
	}
	lacks := func(what string) error { return fmt.Errorf("a change %q without %s", c.Op, what) }
	if c.Op != "delete" && c.Desired == nil {
		return nil, lacks("a declaration")
	}
	if (c.Op == "delete" || c.Op == "update") && c.Recorded == nil {
		return nil, lacks("a record")
	}
	switch c.Op {
	case "create":
		return &diff.Create{Target: target, ID: c.ID, Recorded: c.Recorded, Prior: c.Prior, Replaces: c.Replaces}, nil
	case "update":
		return &diff.Update{Target: target, Recorded: c.Recorded, Prior: c.Prior}, nil
	case "adopt":
		return &diff.Adopt{Target: target, ID: c.ID, Recorded: c.Recorded}, nil
	case "delete":
		return &diff.Delete{Recorded: c.Recorded, Prior: c.Prior, Replaced: c.Replaces}, nil
	}
	return nil, fmt.Errorf("there is no change %q", c.Op)
}
