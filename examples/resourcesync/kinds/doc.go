// Package kinds are the kinds of resources that Komodo's files declare: servers,
// stacks, deployments and the others, each as a Go struct with the names, aliases,
// defaults and forms of its fields.
//
//	*.toml ─ manifest.Load(kinds.Set) ─▶ sync.Desired ─ Complete ─▶ Engine.Plan
//	                                                 Deployer ◀─ Decode ─┘
//
// Set makes the kinds for sync.New and for the loader. What only the whole
// declaration can tell, Complete adds to it: references whose kind stands in the
// file beside the name, warnings, names that no variable can have. Decode gives a
// Deployer its Config back as a struct, with every default filled in.
//
// A field's Go zero value means that it is absent, and then has its default; so the
// structs are for reading. Who declares in Go and has to say false where true is
// the default passes JSON to KindSet.Resource.
package kinds
