// Package diff compares what is declared with what is recorded, and shows the
// difference. It imports the standard library and package state alone.
//
//	declared, in key order ─┐
//	                        ├─▶ Join ─▶ Change … ─▶ WriteText, JSONOf
//	records, in key order ──┘               │
//	                                        └─ of an Update: Fields, under a Schema
//
// Join is a merge-join of two sorted sequences: one pass, nothing allocated for
// what is unchanged. A Change is data, one struct for each thing that can be
// done about a resource: Create, Update, Adopt, Delete, Orphan, Forget, Deploy,
// NoOp. The set is closed. A replace is a Create and a Delete, a move an Update.
//
// A Schema says what the Config of a kind may hold: names, types, defaults,
// which fields are sensitive, unmanaged, immutable, references. It is plain data.
// What it does to a Config, in the order in which it is done:
//
//	Normalize   brings it in the one form that is hashed, and finds every mistake
//	Refs        finds the references to other resources
//	Conceal     leaves digests of what is sensitive, nothing of what is unmanaged
//	Substitute  puts IDs in place of references, and secrets back, for who acts
//
// Fields lists what differs between two declarations, a path for each value; of
// a sensitive field it carries no value at all, so nothing that renders one can
// show it. Drift does the same for what is recorded and what is live;
// ImmutableFields tells which of them force a replacement.
//
// NewGraph puts a declaration in dependency order: the same order for the same
// declaration, linear in its size, with an error for every cycle and every name
// that isn't declared.
//
// Functions here are safe for concurrent use. None changes what it is given, and
// JSON that they return may share memory with it: don't change that either.
package diff
