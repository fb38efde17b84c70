// Package manifest reads TOML files into declared resources. It knows where
// every value stands, so that whatever is wrong can be said with file, line and
// column, and it says everything that is wrong at once.
//
//	*.toml ─ Decode ─▶ Document ─ Config ─▶ canonical Config ─┐
//	                      │ Position            │ mistakes     ├─▶ sync.Desired
//	                      └──────▶ Mistakes ◀───┘              │
//	fs.FS ───────────────────── Load ──────────────────────────┘
//
// Load does it all for the plain form of declaration, in which each top-level
// array of tables is a kind:
//
//	[[network]]
//	name = "private"
//
//	[[server]]
//	name = "web"                  # required; once in its kind, in all the files
//	type = "small"                # the rest is optional
//	description = "answers HTTP"
//	tags = ["production"]
//	deploy = true
//	after = ["network/private", "db"] # "kind/name", or the name of one of the same kind
//
//	[server.config]               # the kind's own fields, checked against its Schema
//	address = "10.0.0.1"
//
// which is loaded by
//
//	kinds := sync.Kinds(sync.Define[Network]("network"), sync.Define[Server]("server"))
//	desired, err := manifest.Load(os.DirFS("config"), kinds, nil)
//
// A mistake reads like this:
//
//	servers.toml:7:1: address: unknown field; address belongs in [server.config]
//
// Loaders of other forms of declaration are built from the parts: Decode for
// values and where they stand, Document.Config to check a table against a
// Schema, Mistakes to collect what is wrong.
//
// What a file says is repeated in mistakes as far as names, kinds and numbers
// go. The text of a value is not: it may be a secret. Nor is anything of a field
// that the Schema says is sensitive.
package manifest
