// Package diff compares declarations with records: Change, field deltas,
// schemas, dependency order, rendering.
package diff
