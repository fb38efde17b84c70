// Package appsync syncs app configs. An app's config is a directory of TOML
// files that a vendor keeps beside the app: its components, the actions and
// runbooks that operate them, what is asked of those who install it, and what it
// is installed into. Load reads the directory, and a Syncer makes the app what it
// declares, over any backend.
//
//	config, err := appsync.Load(os.DirFS("config"), nil)
//	…
//	engine, err := sync.New(backend, appsync.Kinds(), nil)
//	…
//	syncer := appsync.New(engine, config)
//	ctx = appsync.SetOrgContext(ctx, "acme")
//	ctx = appsync.SetAccountContext(ctx, "ann")
//	err = syncer.Sync(ctx)
//	…
//	for _, component := range syncer.GetComponentsScheduled() { … }
//
// A host that wants to show a plan first, to prune or to forget uses the engine
// itself, with config.Desired.
//
// The format and the Syncer are those of an existing product: its config
// directories load as they are, and what is recorded reads as the State that its
// tools know.
//
// # What there is of each
//
// A plan shows, and a State records, resources. What a vendor thinks of as one
// thing is one resource, so that what is removed from a config is an orphan with
// a name:
//
//	component/NAME, action/NAME, install/NAME, runbook/NAME
//	role/NAME, break_glass_role/NAME, policy/NAME, secret/NAME
//	kubernetes_context/NAME
//
// What an app has one of is one resource, of the kind's name: metadata, sandbox,
// runner, inputs, stack, branch, installer, operation_roles. The inputs are one
// resource with their groups, since they are asked together and in order, and a
// State knows them by one ID.
//
// # The directory
//
//	metadata.toml, sandbox.toml, runner.toml                      required
//	components/, actions/, installs/, runbooks/                   a resource a file
//	permissions, break_glass, policies, secrets, kubernetes_contexts
//	                           a file of many, or a folder with a resource a file
//	inputs                     a file, or a folder with an input a file
//	input_groups/              beside the folder inputs/: a group a file
//	operation_roles            a file, or a folder with a rule a file
//	stack, branch, installer   a file, or a folder with that file
//
// Folders are read with all folders below them; what begins with a dot is not. A
// file without keys counts as absent, unless it is in a folder: then it should
// declare something, and is a mistake. A file and a folder of one kind can't both
// declare something. A policy need not have a name: it is then called after the
// file that holds its contents.
//
// Any other .toml file is a mistake, so that nothing is overlooked for its name,
// unless another file names it or it is in a folder at the top, of another name,
// that holds something else than .toml files too: then that is the app's own, such
// as its source. Files that are no .toml files are read when they are named, and
// are else left alone.
//
// # Files that name files
//
// In the fields that hold text of some length (a component's manifest, the
// contents of values files, variable files, policies and boundaries, a step's
// inline_contents, a readme), "./path" or "../path" on one line is the name of a
// file, whose contents take its place: they are compared and recorded, and
// references in them count. It is looked for in the folder of the file that names
// it, then in the folders above, up to the config directory, then in the folder of
// the kind (permissions for every role). A file that is not there is a mistake; a
// readme that is not there is a warning. A step's command is never the name of a
// file. Nothing outside of the directory is read.
//
// The source of a component, a sandbox, a runner, the inputs or the installer is a
// .toml file that is merged in: tables are merged, lists of tables are joined,
// the source's first, and of what both set the file's own counts. A file that is
// named so and has no name of its own declares nothing by itself.
//
// # What comes after what
//
// A component comes after its dependencies, after every component that
// nuon.components.NAME.outputs names in any text of it, NAME being the
// component's name or var_name, and after its kubernetes_context. An action and a
// runbook come after the components and actions that they name in their
// dependencies, triggers, steps and texts, a readme aside; a policy, an install
// and a kubernetes_context after the components that they name. A name that is
// not declared is a mistake, and so is a circle. Text within {{ }} stays as it is,
// and so do names: a Config has the names of other resources, not their IDs.
//
// # What counts as a change
//
// Comments, white space, the order of keys and of dependencies, and which of two
// ways something is written in are no change. A value that is set to what it is
// when it is left out is none either. The order of lists is one, and the contents
// of the files that are read in are. Empty lists and tables are as good as none.
// Where leaving out a flag or a number means something else than false or 0, the
// field is a pointer.
//
// # What is sensitive
//
// The default of a secret, a slack_webhook_url, the default of an input that says
// sensitive = true, and what an install gives to such an input are sensitive: they
// are in no plan, diff, State or error, and what is recorded of them is a keyed
// digest, enough to see that they changed. In a Config the latter two stand in
// fields of their own, sensitive_default and sensitive_inputs, which no file has.
// Every other text is shown: a password that stands in the env_vars of a component
// is one that everybody can read who can read the plan.
//
// # Builds
//
// Builds are the host's. After a Sync, GetComponentsScheduled returns the
// components to be built: new ones, changed ones, those that a Builds says failed,
// those with build = "always" and images with an update policy. The last three
// change nothing of what is recorded. RunBuilds has the host's Builder build them,
// and follows each to its end.
package appsync
