//go:build race

package diff_test

// raceDetector says that a sync.Pool drops what it likes, so that allocations
// can't be counted.
const raceDetector = true
