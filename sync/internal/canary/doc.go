// Package canary finds secrets where they must not be. A test declares a value
// that nothing else has, a canary, and looks for it in all that comes out:
//
//	secrets := canary.New(password, pin)
//	secrets.NotIn(t, "the plan", plan)
//
// A canary is found as it is and in the forms in which programs pass it on: quoted
// by JSON or by Go, escaped for a URL, in hex, in base64 at every alignment, as a
// list of bytes; each also of the form that JSON gives it.
//
// Value is the canary of a whole run of tests: what runs them (canary/watch) looks for
// it in what they print and leave behind.
package canary
