// Package synccli makes commands of the sync engine, for a program to mount:
//
//	plan               show what sync would do
//	sync               make it so, and record it
//	state              show what is recorded
//	orphans            list what is recorded and no longer declared
//	prune              delete the orphans
//	forget KIND/NAME   drop a record and leave the thing alone
//	validate           check the declaration and nothing else
//
// A program says what it is in a [Host]: its name, its kinds, how a declaration
// is loaded and where it can be recorded. [New] makes a [Program] of that, whose
// Run takes the arguments and returns the exit code:
//
//	func run(ctx context.Context, args []string, stdio synccli.Stdio) int {
//		return synccli.New(synccli.Host{
//			Name:  "shop",
//			Kinds: kinds,
//			Load: func(_ context.Context, call *synccli.Call) (*synccli.Declaration, error) {
//				desired, err := manifest.Load(os.DirFS(call.Dir()), kinds, nil)
//				return &synccli.Declaration{Desired: desired}, err
//			},
//			Backends: []synccli.Backend{{
//				Scheme: "file", Form: "file:DIR",
//				Open: func(_ context.Context, at string, scope state.Scope) (sync.Backend, error) {
//					return filesyncer.New(strings.TrimPrefix(at, "file:"), scope, nil)
//				},
//			}},
//		}).Run(ctx, args, stdio)
//	}
//
// What is between the arguments and the exit code is the same in every program:
// arguments → [Call] → Load → Plan → shown → confirmed → Apply, with its progress
// shown → summary. [OS] makes the [Stdio] of a process; a test makes its own.
//
// # Flags
//
// Flags stand before or after the other arguments; "--" ends them. The standard
// ones are --backend, --org, --app and --account (whose State it is, and who
// asks), --prune, --prune-limit and --allow-empty (what may be deleted), --yes and
// --json. A flag or command that isn't known is an error that names the nearest
// one that is. [Host.Flags] adds a program's own.
//
// The scope is default/DIR's name and the backend is file:DIR/.trueup unless the
// flags say otherwise, so the first command of a manual needs neither.
//
// # Exit codes
//
// 0, and 1 after an error; plan ends with 2 if sync would do something.
// [Host.ExitCode] may have it otherwise.
//
// # What is asked
//
// At a terminal, sync, prune and forget ask before they do something, unless --yes
// is given. Where nobody can be asked, because In is no terminal or the output is
// JSON, they go ahead, with one exception: what deletes needs --yes. A pipeline
// that creates and updates needs no flag; none deletes by surprise.
//
// # What prune deletes
//
// The recorded orphans and nothing else: not what has left the declaration since
// the last sync, which sync reports first. It reads the declaration, if there is
// one, to find orphans that are declared again; then it deletes nothing and says
// that sync comes first. A declaration with mistakes stops it too: what is
// declared can't be known then. forget is held to the same.
//
// # Output
//
// What was asked for goes to Out; warnings, errors and questions to Err. Each
// mistake in a file is a line that begins with file:line:col. A sync writes a line
// per change; at a terminal, what is under way is shown below them. With --json,
// sync, prune and forget write their events and then the result, an object with
// "event": "result", one a line; every other command writes one document. If a
// command with --json fails before that, it writes {"errors": […]}.
//
// # A program's own commands
//
// [Host.Commands] adds commands, or takes the place of standard ones. They get the
// same [Call] that the standard ones are made of: Load, Plan, Carry, Engine, State,
// Ask. A host without Backends has its own commands alone.
package synccli
