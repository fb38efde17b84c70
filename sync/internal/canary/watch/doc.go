// Command watch runs the go command's tests and looks for a secret in everything
// that comes out of them.
//
//	go run ./sync/internal/canary/watch go test ./... ./examples/...
//
// Tests use the value of TRUEUP_CANARY, another one for each run, wherever they
// declare a secret. It must not be found, in any of the forms that package canary
// knows, in what the tests and the programs that they start print, whether they pass
// or not; in the temporary files that are left when they have ended; in what they
// left on purpose in the directory that TRUEUP_KEPT names, such as what a backend has
// recorded; and in the repository itself, where golden files are.
//
// What it prints of the tests is what go test prints.
package main
