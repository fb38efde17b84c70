package state

import (
	"encoding/json"
	"time"
)

// DefaultStateVersion is the version of the encoding that this package writes.
const DefaultStateVersion string = "v1"

// Resource is one declared thing.
//
// A Resource is plain data. The JSON form is the canonical one, in which equal
// declarations are equal bytes; see Resource.Checksum.
type Resource struct {
	Key
	// Type is the variant within the kind: "helm_chart". May be empty.
	Type string
	// Description is for people. May be empty.
	Description string
	// Tags select resources. A set: order and repetition mean nothing.
	Tags []string
	// After are the resources that must be in place before this one. A set.
	After []Key
	// Refs are the places in Config that stand for another resource's ID. A set.
	Refs []Ref
	// Deploy says that the resource takes part in the deploy phase.
	Deploy bool
	// Protected says that the resource is never pruned and never replaced. The
	// record keeps it after the declaration is gone.
	Protected bool
	// Unmanaged are paths of fields in Config that must exist and whose values are
	// somebody else's: a value given here is for a create alone, and is neither
	// compared nor recorded. A set.
	Unmanaged []string
	// Config is the kind's own part: one canonical JSON object (see Canonical),
	// fields at their default left out, references by name. Nil means no fields.
	Config json.RawMessage
}

// Ref is a value in a Resource's Config that stands for another resource's ID.
type Ref struct {
	// Path leads to the value from Config's root, as in "servers[0].network". A
	// member whose name holds anything but letters, digits, '-' and '_' is quoted.
	Path string
	// To is the resource whose ID takes the value's place when it is applied.
	To Key
}

// Record is what is known of a resource after a sync.
type Record struct {
	Key
	// Type is the Resource's type, as of the recorded checksum.
	Type string
	// ID is the backend's or handler's identity of the thing, stable for its
	// life. Empty only while a create is pending.
	ID string
	// ConfigID is the identity of the persisted version of the declaration. It
	// changes when, and only when, that does.
	ConfigID string
	// Checksum is the Resource's.
	Checksum Checksum
	// After are the effective edges, After and Refs of the Resource: in key
	// order, without repetition.
	After []Key
	// Orphaned says that the resource is no longer declared and still exists.
	Orphaned bool
	// Protected records are never pruned; it outlives the declaration that set it.
	Protected bool
	// Replaced is the old ID of a resource that was replaced, until it is gone.
	Replaced string
	// Pending is what was intended and has not finished.
	Pending []Pending
}

// Unfinished tells whether something is left to do: pending work, or an old thing
// that was replaced and is still there.
func (r *Record) Unfinished() bool { return len(r.Pending) > 0 || r.Replaced != "" }

// Pending is an intended act that has not finished.
type Pending struct {
	// Op is what was intended: "create", "update", "delete", "deploy".
	Op string `json:"op"`
	// Serial is the serial that recorded the intent. With scope and key it makes
	// the idempotency key of the act.
	Serial int64 `json:"serial"`
	// Checksum is that of the Resource that was to be, zero for a delete.
	Checksum Checksum `json:"checksum,omitzero"`
	// Attempts counts the times it was tried.
	Attempts int `json:"attempts,omitempty"`
	// Error is the last attempt's, empty if it never came to an end.
	Error string `json:"error,omitempty"`
}

// Token is a backend's opaque precondition: equal tokens mean that nothing was
// recorded in between.
type Token string

// Head is a State without its records: what one round trip tells. The Head of a
// scope in which nothing was ever recorded has the scope, Serial 0 and no
// roots.
type Head struct {
	// Version is that of the encoding: DefaultStateVersion.
	Version string `json:"version"`
	// Scope is whose State it is.
	Scope Scope `json:"scope"`
	// Token is the backend's. It is not part of an encoded State.
	Token Token `json:"-"`
	// Serial counts the commits: each adds one.
	Serial int64 `json:"serial"`
	// ConfigID is the identity of this snapshot.
	ConfigID string `json:"config_id"`
	// Declared is the root over what is declared; see DeclaredRoot. Equal to the
	// root of a declaration when, and only when, that is what is recorded.
	Declared Checksum `json:"declared"`
	// Root is the root over every record, IDs, orphans and pending work
	// included; see Root.
	Root Checksum `json:"root"`
	// Records, Orphans and Pending count the records, those that are orphaned,
	// and those that are Unfinished. (In JSON the first is "count": "records" are
	// the records themselves.)
	Records int `json:"count"`
	Orphans int `json:"orphans"`
	Pending int `json:"pending"`
	// Kinds are the kind versions that the checksums were made with, where they
	// are not 0.
	Kinds map[string]int `json:"kinds,omitempty"`
	// Revision, By and When tell of the last sync that changed something: the
	// source's revision, who, and when.
	Revision string    `json:"revision,omitempty"`
	By       string    `json:"by,omitempty"`
	When     time.Time `json:"when,omitzero"`
}

// State is everything recorded of a scope.
type State struct {
	Head
	// Records are in key order, each key once.
	Records []Record
}

// Delta is one commit: what it changes of a State. A commit of 1% costs 1%.
type Delta struct {
	// Head is the State's after the commit; its Serial is one more than before.
	// Its Token is ignored.
	Head Head
	// Records are those that were added or changed, in key order.
	Records []Record
	// Dropped are the keys of the records that are gone, in key order.
	Dropped []Key
	// Declared are the declarations that the commit's records or pending work
	// name by checksum and that may be new to the backend, in key order: all that
	// nothing in the State before names. So a backend may forget what nothing names.
	Declared []Resource
}
