// Package synccli makes commands of the sync engine, for a program to mount:
//
//	plan                   show what sync would do
//	sync                   make it so, and record it
//	deploy [KIND/]NAME…    deploy something, and what comes after it
//	state                  show what is recorded
//	history                list what was recorded, newest first
//	diff [A [B]]           show what changed between two States
//	rollback SERIAL        go back to an earlier State
//	drift                  show what was changed behind our back
//	orphans                list what is recorded and no longer declared
//	prune                  delete the orphans
//	forget KIND/NAME       drop a record and leave the thing alone
//	adopt KIND/NAME [ID]   take over a thing that exists
//	unlock                 take the lease from who holds it
//	validate               check the declaration and nothing else
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
// shown → summary. [Main] runs it in a process of its own; a test makes its own [Stdio].
//
// # Flags and arguments
//
// Flags stand before or after the other arguments; "--" ends them. The standard
// ones are:
//
//	--backend, --org, --app, --account     whose State it is and where, and who asks
//	--prune, --prune-limit, --allow-empty  what may be deleted
//	--target KIND/NAME                     only that and what it needs; several times
//	--no-deploy                            what is to be deployed is left for another time
//	--plan-file FILE                       where plan writes a plan that sync carries out
//	--html FILE                            the plan as a page, for a browser
//	--atomic                               all or nothing
//	--wait                                 for who holds the lease
//	--yes, --json                          ask nobody; write JSON
//
// deploy and --no-deploy are there if a kind has a Deployer.
//
// A flag or command that isn't known is an error that names the nearest one that is.
// [Host.Flags] adds a program's own.
//
// The scope is default/DIR's name and the backend is file:DIR/.trueup unless the
// flags say otherwise, so the first command of a manual needs neither.
//
// Where optional arguments stand before the paths, what is what is decided by rules
// that guess nothing. The serials of diff are all digits, so a directory whose name
// is a number is written ./12. The ID of adopt stands second, with - in its place if
// only the path follows, since an ID may look like any path; if the second of two
// arguments is there as a file, adopt asks for it to be said which it is.
//
// # Saved plans
//
// "plan --plan-file F" writes the plan to F, readable by its user alone, whole or
// not at all. It holds neither declarations nor sensitive values. "sync --plan-file F"
// makes the plan anew from the declaration and compares: if it is the same it is
// shown, confirmed and carried out, whatever else was recorded in between; if not,
// nothing is touched, and what moved is listed. What shapes a plan, --prune or
// --target, is given when it is made.
//
// # Exit codes
//
// 0, and 1 after an error. plan and diff end with 2 if there is something that
// changes, or changed. drift ends with 1 if it finds some: it is a check, which has
// then failed; with 1, too, where nothing can be observed. Its Err is empty in the one
// case and not in the other. [Host.ExitCode] may have it otherwise.
//
// # What is asked
//
// At a terminal, what is to be changed is shown and asked about, unless --yes is
// given. Where nobody can be asked, because In is no terminal or the output is JSON,
// it goes ahead, with one exception: what deletes or replaces something, or takes a
// lease from its holder, needs --yes. A pipeline that creates and updates needs no
// flag; none deletes by surprise.
//
// # Going back
//
// rollback plans towards what was declared in an earlier State; what came later
// becomes an orphan, or is deleted with --prune. It reads the declaration, if there is
// one, for the sensitive values alone, of which only digests are recorded: if one is
// needed that is not there, the fields are named and nothing is done. A declaration
// with mistakes is passed over with a warning. The declaration stays what it is, so
// the next sync leads back to it.
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
// sync, rollback, prune, forget and adopt write their events and then the result, an
// object with "event": "result", one a line; every other command writes one document.
// If a command with --json fails before that, it writes {"errors": […]}.
//
// An error that a flag or another command would help with is followed by a line that
// says which, as it is typed for this scope.
//
// # A program's own commands
//
// [Host.Commands] adds commands, or takes the place of standard ones. They get the
// same [Call] that the standard ones are made of: Load, Plan, SavePlan, Carry, Engine,
// State, Ask, Work. A host without Backends has its own commands alone.
package synccli
