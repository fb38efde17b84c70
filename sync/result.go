package sync

import (
	"slices"
	"strings"

	"github.com/hashicorp/go-multierror"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// Status is how a change ended. Every change of a plan that was applied has
// exactly one.
type Status string

// The statuses.
const (
	// Done: carried out and recorded.
	Done Status = "done"
	// Failed: attempted, with an error.
	Failed Status = "failed"
	// Blocked: not attempted, since something it depends on failed.
	Blocked Status = "blocked"
	// NotAttempted: the run ended before it began; or, in an all-or-nothing run,
	// it was taken back with the rest.
	NotAttempted Status = "not attempted"
)

// ChangeResult is how one change of a plan ended.
type ChangeResult struct {
	Change diff.Change
	Status Status
	// ID is the resource's identity, if it has one.
	ID string
	// Err is why it failed or is blocked; nil otherwise.
	Err error
}

// Result is how applying a plan ended. It is a value: nothing in it changes
// later.
type Result struct {
	// Head is the State's head after the run.
	Head state.Head
	// Changes are the plan's, in its order.
	Changes []ChangeResult
	// Unchanged counts the declared resources that were as declared before.
	Unchanged int

	records []state.Record
	orphans []state.Record
	err     error
	counts  map[Status]int // if Changes are not all of them
}

// Orphans returns the records of what is no longer declared and still exists, in
// key order, as they are recorded after the run: those that it found and those
// from before.
func (r *Result) Orphans() []state.Record { return r.orphans }

// Records returns all records after the run, in key order. If nothing changed
// they are only there if PlanOptions.Records asked for them; else it is nil.
func (r *Result) Records() []state.Record { return r.records }

// Count returns how many changes ended so.
func (r *Result) Count(status Status) int {
	if r.counts != nil {
		return r.counts[status]
	}
	n := 0
	for i := range r.Changes {
		if r.Changes[i].Status == status {
			n++
		}
	}
	return n
}

// Err returns what went wrong, as Apply does: nil, or a *multierror.Error.
func (r *Result) Err() error { return r.err }

func orphansOf(records []state.Record) []state.Record {
	var orphans []state.Record
	for i := range records {
		if records[i].Orphaned {
			orphans = append(orphans, records[i])
		}
	}
	return slices.Clip(orphans)
}

// joinErrors makes one *multierror.Error of the errors that are not nil, or nil.
func joinErrors(errs ...error) error {
	var all *multierror.Error
	for _, err := range errs {
		if err != nil {
			all = multierror.Append(all, err)
		}
	}
	return all.ErrorOrNil()
}

// sortErrors puts errors that came from several goroutines in an order that
// doesn't depend on them.
func sortErrors(errs []error) {
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
}
