// Breakage breaks the code on purpose and looks whether a test notices. A test
// that can't fail holds no promise; this is how it is known that those that hold
// one can.
//
//	go run ./sync/internal/breakage          # in the repository's root
//	go run ./sync/internal/breakage lease    # those with "lease" in them
//
// The breakages are listed in .ci/breakages.txt, a paragraph each:
//
//	promise 6: a lease that is lost goes on being held
//	file sync/lease.go
//	 	case errors.Is(err, ErrLeaseLost):
//	-		lose(ErrLeaseLost)
//	+		lose(nil)
//	test ./sync TestPromise6_WhoLosesTheLease
//
// It names the promise that is broken, by its number in the documentation of
// package sync, and how. Then comes the edit, as in a patch without its numbers:
// lines that stay begin with a blank, those that go with '-', those that come
// with '+'. The lines that stay or go must stand in the file exactly once. At
// last, the package whose tests must notice, from the root, and which of them, as
// go test -run takes it. A line that begins with '#' is a comment.
//
// Each edit is made in a copy of the tree. It is an error if it doesn't apply any
// more, if the code doesn't compile with it, if there is no such test, if the
// test fails without the edit, and if it passes with it. All breakages are tried
// for the first two; the tests are run for TRUEUP_SOAK percent of them, chosen at
// random (5 if it is unset), or for those that are asked for.
package main
