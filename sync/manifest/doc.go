// Package manifest reads TOML files into declared resources. It knows where
// every value stands, so that whatever is wrong can be said with file, line and
// column, and it says everything that is wrong at once.
//
//	*.toml ─ Decode ─▶ Document ─ Config ─▶ canonical Config ─┐
//	                      │ Position            │ mistakes     ├─▶ sync.Desired
//	                      └──────▶ Mistakes ◀───┘              │
//	fs.FS ───────────────────── Load ──────────────────────────┘
//	                                    *.toml ◀── Render ─────┘
//
// Load does it all for the plain form of declaration, in which each top-level
// array of tables is a kind, by its name or the plural of it:
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
//	after = ["network/private", "db"] # "kind/name", or a bare name
//	unmanaged = ["config.region"] # must be there; its value is somebody else's
//
//	[server.config]               # the kind's own fields, checked against its Schema
//	address = "10.0.0.1"          # [server.config.x], x.y = 1 and { y = 1 } are all one
//
//	[[moved]]                     # a rename, so that it isn't a delete and a create
//	kind = "server"
//	from = "www"
//	to = "web"
//
// which is loaded by
//
//	kinds := sync.Kinds(sync.Define[Network]("network"), sync.Define[Server]("server"))
//	desired, err := manifest.Load(os.DirFS("config"), kinds, nil)
//
// A field that isn't there has its default: taking one out of a file is setting it
// back. A bare name in after is that of a resource of the same kind, or of any kind
// that deploys; if several of these bear it, the file has to say which. A field
// may have aliases, and be declared in more than one form (see sync.Parser).
//
// LoadRoots reads any number of directories and files, and tells more: which files
// they were, and where the texts hold references to variables, which Interpolate
// fills in when it comes to acting; in a State they stand as they were written.
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
