// Package deploy brings Komodo's deployments, stacks and builds to run on container
// engines, and runs its procedures.
//
//	manifest.LoadRoots ─ kinds.Complete ─▶ Declare ─┐
//	sync.New(backend, kinds.Set(d.Kinds())) ────────┼─▶ Deployer ─▶ dockerd, by the name of a server
//	RunProcedure ───────────────────────────────────┘
//
// Which engine a server or builder is, its address says, or Options.Engines in its
// place: the original's has the address of an agent. Whatever is missing is an error
// of the plan, which says what to do: an engine, a build that was never built, a
// [[VARIABLE]] without a value.
//
// A deployment is a container. Its quotes are taken off values as a shell does, and
// nothing else of a shell happens to them. A stack is a project of docker compose,
// whose files are on this machine: of a repository (a checkout for each stack), of a
// directory, or declared themselves. A build makes an image with docker build; the
// image's labels say which version it is, so that the next one is known without a
// state of our own.
//
// Beside its declaration a deploy is made of what Prepare finds: the image of the
// attached build, the files that a stack reads, the commit of a build's repository.
// Another one is a reason to deploy. Values of variables are not: they are filled in
// when it comes to deploying, and are in no checksum, plan or label but those that
// are declared with them. A plan clones and fetches; it runs no declared command.
//
// Not carried out, and said so where it is declared: swarms and replicas,
// compose_cmd_wrapper, builders that are no engine of ours.
//
// What is deleted, moves to another server or gets another name is ended where it was
// recorded to run, before anything takes its place; volumes and images stay. If that
// server can't be reached, the delete or move fails and is tried again by the next one.
// What was declared without deploy at last is nobody's business here: it runs on. So
// does what ran at an address that its server no longer has.
package deploy
