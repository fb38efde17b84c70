// Package state holds the data of a sync: what is declared (Resource), what is
// recorded of it (Record, Head, State), and what a commit changes (Delta). It
// imports the standard library alone, and does nothing but compute and encode.
//
//	declaration ─▶ Resource ─▶ Checksum ──────────────┐
//	                                                  ├─▶ compared by package diff
//	State = Head + Records ◀─ Delta ◀─ what was done ─┘
//
// # Equal meaning, equal bytes
//
// A Resource's Config is canonical JSON (Canonical, AppendCanonical): members in
// order, numbers as exact decimals, one way to write a string. So two
// declarations mean the same when, and only when, their canonical bytes are the
// same, and a Checksum over them says so: comments, white space, the order of
// keys, and the order of sets (Tags, After) change nothing; the order of a list
// does. There is no boundary between two fields that a value could be moved
// over, since what is hashed is JSON, not joined text.
//
// # The two roots
//
// A Head carries two checksums over all records. Declared is the root over what
// is declared: keys, checksums, edges. Whoever has the declaration can compute
// it without any record, so "is there anything to do?" takes one Head. Root is
// the root over everything, ids, orphans and pending work included: it tells
// whether a State is whole. Both are functions of the records alone; a run that
// failed halfway therefore can't claim the whole declaration.
//
// # The encoding
//
// A State is stored as one readable JSON document, a record to a line, each
// with the checksum of its own (Encoder, Decoder, State.Encode, Decode). A
// record that was changed behind our back is named by the error; so is a
// version from the future. Older versions are upgraded when they are read.
//
// # Concurrency
//
// Everything here is a value or a function of its arguments. Values may be
// shared by goroutines as long as nobody changes them; an Encoder, Decoder, Tree
// or Tally belongs to one goroutine.
package state
