package diff

import "github.com/trueup-go/trueup/state"

// Op names what a Change does.
type Op string

// The ops, in the order in which a summary counts them.
const (
	OpCreate Op = "create"
	OpUpdate Op = "update"
	OpDelete Op = "delete"
	OpOrphan Op = "orphan"
	OpForget Op = "forget"
	OpNoOp   Op = "no-op"
)

// Change is one thing to do about one resource: *Create, *Update, *Delete,
// *Orphan or *Forget, or a NoOp. The set is closed; switch over it by type. A
// Change is data: what it points to is shared and must not be changed.
type Change interface {
	// Op names the change's type.
	Op() Op
	// Key names the resource.
	Key() state.Key

	change()
}

// Create brings a declared resource into being that isn't recorded.
type Create struct {
	// Desired is the declaration.
	Desired *state.Resource
	// Checksum is Desired's.
	Checksum state.Checksum
	// ID is the identity that the engine proposes, from scope, key and
	// incarnation; it is also the idempotency key. Empty until it is applied.
	ID string
}

// Update makes a recorded resource what is declared.
type Update struct {
	// Recorded is what is known of it. If it is Orphaned, the resource is
	// declared again.
	Recorded *state.Record
	// Prior is the declaration that Recorded was made from, nil if the backend
	// no longer has it.
	Prior *state.Resource
	// Desired is the declaration now, Checksum its checksum.
	Desired  *state.Resource
	Checksum state.Checksum
	// Fields are what differs between Prior and Desired. Empty if Prior is
	// unknown, or if only the edges or the orphaning change.
	Fields []Field
}

// Delete removes a resource that is no longer declared.
type Delete struct {
	Recorded *state.Record
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

// NoOp is a recorded resource that is as declared, or an orphan that remains
// one. It is used by value: to yield it allocates nothing.
type NoOp struct {
	// Recorded is valid until the sequence that yielded the NoOp goes on.
	Recorded *state.Record
}

// Op returns OpCreate.
func (*Create) Op() Op { return OpCreate }

// Op returns OpUpdate.
func (*Update) Op() Op { return OpUpdate }

// Op returns OpDelete.
func (*Delete) Op() Op { return OpDelete }

// Op returns OpOrphan.
func (*Orphan) Op() Op { return OpOrphan }

// Op returns OpForget.
func (*Forget) Op() Op { return OpForget }

// Op returns OpNoOp.
func (NoOp) Op() Op { return OpNoOp }

// Key returns the key of what is to be created.
func (c *Create) Key() state.Key { return c.Desired.Key }

// Key returns the key of what is to be updated.
func (c *Update) Key() state.Key { return c.Recorded.Key }

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
func (NoOp) change()    {}
