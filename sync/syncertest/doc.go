// Package syncertest holds what every backend is tested with: a conformance
// suite, a crash harness, and a reference backend in memory.
package syncertest
