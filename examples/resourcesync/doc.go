// Command resourcesync syncs the resources that TOML files in a git repository
// declare in Komodo's form: servers, stacks, deployments, builds and the others. It
// shows a plan, records what is declared, and deploys what is to run.
//
//	go run ./examples/resourcesync sync --no-deploy examples/resourcesync/demo
//
// It is the host program for package kinds: the commands are synccli's, the engine is
// the library's, the files are read by package manifest, and package deploy brings
// things to run. What it adds to these are export, schema and run.
package main
