// Command appsync syncs an app's config directory: it reads what the directory
// declares, compares it with what was recorded, shows a plan, carries it out and
// records the result. It is the host program for package appsync, and as small as
// a host can be: the commands are synccli's, the engine is the library's.
//
//	go run ./examples/appsync sync examples/appsync/demo
//
// The directory that it records in is DIR/.trueup, unless --backend says
// otherwise.
package main
