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
// done about a resource: Create, Update, Delete, Orphan, Forget, NoOp. The set
// is closed.
//
// A Schema says what the Config of a kind may hold: names, types, defaults,
// which fields are sensitive. It is plain data. Schema.Normalize brings a Config
// in the one form that is hashed, with fields at their default left out, and
// finds every mistake in it. Fields lists what differs between two
// declarations, a path for each value; of a sensitive field it carries no value
// at all, so nothing that renders one can show it.
//
// NewGraph puts a declaration in dependency order: the same order for the same
// declaration, linear in its size, with an error for every cycle and every name
// that isn't declared.
//
// Functions here are safe for concurrent use.
package diff
