package diff

import (
	"encoding/json"
	"slices"

	"github.com/trueup-go/trueup/state"
)

// Op names what a Change does.
type Op string

// The ops, in the order in which a summary counts them.
const (
	OpCreate  Op = "create"
	OpUpdate  Op = "update"
	OpReplace Op = "replace"
	OpMove    Op = "move"
	OpAdopt   Op = "adopt"
	OpDelete  Op = "delete"
	OpOrphan  Op = "orphan"
	OpForget  Op = "forget"
	OpDeploy  Op = "deploy"
	OpNoOp    Op = "no-op"
)

// Change is one thing to do about one resource: *Create, *Update, *Adopt,
// *Delete, *Orphan, *Forget or *Deploy, or a NoOp. The set is closed; switch over
// it by type. A Change is data: what it points to is shared and must not be
// changed.
//
// A Change holds no secret, except in Config, which is nil until the change is
// carried out: declarations in it are concealed (see Schema.Conceal).
type Change interface {
	// Op names what it does.
	Op() Op
	// Key names the resource, by what it is called once the change is done.
	Key() state.Key

	change()
}

// Target is what a Create, Update, Adopt or Deploy works towards.
type Target struct {
	// Desired is the declaration: references by name, sensitive values concealed.
	Desired *state.Resource
	// Checksum is Desired's.
	Checksum state.Checksum
	// Edges are what it depends on: Desired.Edges and the references that its
	// kind's schema knows, in key order.
	Edges []state.Key
	// Config is what is to be acted on: Desired's Config with IDs in place of
	// references and sensitive values in the clear. Unmanaged fields are in that of
	// a Create alone. It is nil until the change is carried out, and for its
	// executor's eyes only.
	Config json.RawMessage
}

// Key returns the key of what is declared.
func (t *Target) Key() state.Key { return t.Desired.Key }

// Create brings a declared resource into being.
type Create struct {
	Target
	// ID is the identity that the engine proposes, from scope, key and
	// incarnation; it is also the idempotency key. Empty until it is carried out,
	// unless an interrupted create is carried on.
	ID string
	// Recorded is what was known before: of a resource that is replaced, of one
	// that is gone, or of one whose create was interrupted. Nil for what is new.
	Recorded *state.Record
	// Replaces says that Recorded is what the new one takes the place of: it is
	// deleted by a Delete of its own, before or after.
	Replaces bool
	// Prior is the declaration that Recorded was made from, and Fields are what
	// differs between it and Desired, as in an Update; they say why it is replaced.
	Prior  *state.Resource
	Fields []Field
	// Reasons say why, where the declaration alone doesn't: "network/main is
	// replaced". A sentence each, without a secret.
	Reasons []string
}

// Update makes a recorded resource what is declared.
type Update struct {
	Target
	// Recorded is what is known of it. If it is Orphaned, the resource is
	// declared again. If its key is another than Desired's, it has moved: it is the
	// same thing under a new name.
	Recorded *state.Record
	// Prior is the declaration that Recorded was made from, nil if the backend
	// no longer has it.
	Prior *state.Resource
	// Fields are what differs between Prior and Desired, and what was changed
	// behind our back, where that was observed. Empty if Prior is unknown, or if
	// only the edges or the orphaning change.
	Fields []Field
	// Reasons are as a Create's.
	Reasons []string
}

// Adopt takes over a thing that exists and isn't recorded: it is recorded, and
// made what is declared.
type Adopt struct {
	Target
	// ID is the thing's.
	ID string
	// Recorded is the record of an interrupted create; usually nil.
	Recorded *state.Record
	// Fields are what differs between the thing as it was observed and Desired.
	Fields []Field
}

// Delete removes a resource that is no longer declared, or that is replaced.
type Delete struct {
	Recorded *state.Record
	// Prior is the declaration that Recorded was made from, nil if the backend
	// no longer has it.
	Prior *state.Resource
	// Replaced says that another one takes its place: it is the half of a replace,
	// the other being a Create of the same key.
	Replaced bool
}

// Orphan marks a resource that left the declaration. It still exists, and stays
// on the books until it is pruned, forgotten or declared again.
type Orphan struct {
	Recorded *state.Record
}

// Forget drops the record of a resource and leaves the resource alone.
type Forget struct {
	Recorded *state.Record
}

// Deploy brings what is declared to run, after it was changed or because it
// doesn't run.
type Deploy struct {
	Target
	// Running is the checksum of what matters to what runs: of Desired without its
	// key, edges, tags and description. A Deployer that keeps it with the thing, in a
	// label, can tell with Health.Running which declaration runs.
	Running state.Checksum
	// Recorded is what is known of the resource; in a plan that creates it, nil
	// until it is carried out.
	Recorded *state.Record
	// Reasons say why it is deployed, a sentence each. There is at least one.
	Reasons []string
}

// NoOp is a recorded resource that is as declared, or an orphan that remains
// one. It is used by value: to yield it allocates nothing.
type NoOp struct {
	// Recorded is valid until the sequence that yielded the NoOp goes on.
	Recorded *state.Record
}

// Op returns OpCreate, or OpReplace if the resource takes another's place.
func (c *Create) Op() Op {
	if c.Replaces {
		return OpReplace
	}
	return OpCreate
}

// Interrupted tells whether an earlier create of it was begun and not finished.
func (c *Create) Interrupted() bool {
	return c.Recorded != nil && slices.ContainsFunc(c.Recorded.Pending, func(p state.Pending) bool {
		return p.Op == string(OpCreate)
	})
}

// Op returns OpUpdate, or OpMove if the resource has another key than before.
func (c *Update) Op() Op {
	if c.Recorded.Key != c.Desired.Key {
		return OpMove
	}
	return OpUpdate
}

// Op returns OpAdopt.
func (*Adopt) Op() Op { return OpAdopt }

// Op returns OpDelete.
func (*Delete) Op() Op { return OpDelete }

// Op returns OpOrphan.
func (*Orphan) Op() Op { return OpOrphan }

// Op returns OpForget.
func (*Forget) Op() Op { return OpForget }

// Op returns OpDeploy.
func (*Deploy) Op() Op { return OpDeploy }

// Op returns OpNoOp.
func (NoOp) Op() Op { return OpNoOp }

// Key returns the key of what is to be deleted.
func (c *Delete) Key() state.Key { return c.Recorded.Key }

// Key returns the orphan's key.
func (c *Orphan) Key() state.Key { return c.Recorded.Key }

// Key returns the key of the record to be dropped.
func (c *Forget) Key() state.Key { return c.Recorded.Key }

// Key returns the key of what is as it should be.
func (c NoOp) Key() state.Key { return c.Recorded.Key }

func (*Create) change() {}
func (*Update) change() {}
func (*Delete) change() {}
func (*Orphan) change() {}
func (*Forget) change() {}
func (*Adopt) change()  {}
func (*Deploy) change() {}
func (NoOp) change()    {}
