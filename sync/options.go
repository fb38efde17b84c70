package sync

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/trueup-go/trueup/state"
)

// Options are an Engine's. The zero value and nil mean every default.
type Options struct {
	// BatchSize is how many changes are handed to the backend at once, at most;
	// and, unless it is all or nothing, after how many of them what was done is
	// committed. Defaults to 1,000.
	BatchSize int
	// Owner is who holds the lease while a plan is applied, as others see it in a
	// LockedError. Defaults to host name and process number.
	Owner string
	// OnEvent is called with every step, in order, one at a time, from the
	// goroutine that applies. It must not block for long: nothing goes on until
	// it returns. Nil means that nobody listens.
	OnEvent func(Event)
	// Grace is how long work that is under way may go on after the context is
	// cancelled. Defaults to 10 s.
	Grace time.Duration
	// Now tells the time that is recorded as Head.When. Defaults to time.Now.
	Now func() time.Time
}

func (o *Options) withDefaults() (Options, error) {
	var opts Options
	if o != nil {
		opts = *o
	}
	if opts.BatchSize < 0 {
		return opts, fmt.Errorf("Options.BatchSize is %d: want 1 or more, or 0 for the default", opts.BatchSize)
	}
	if opts.Grace < 0 {
		return opts, fmt.Errorf("Options.Grace is %s: want more than 0, or 0 for the default", opts.Grace)
	}
	if opts.BatchSize == 0 {
		opts.BatchSize = 1000
	}
	if opts.Grace == 0 {
		opts.Grace = 10 * time.Second
	}
	if opts.Owner == "" {
		opts.Owner = thisProcess()
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return opts, nil
}

// PlanOptions say what a plan may do and how it is applied. The zero value and
// nil mean every default.
type PlanOptions struct {
	// By is who asked for it; it is recorded with what changes. May be empty.
	By string
	// Prune deletes orphans. Without it they stay on the books.
	Prune bool
	// PruneLimit is how many records pruning may delete. Defaults to the larger
	// of 10 and 25% of the records.
	PruneLimit Limit
	// AllowEmpty lets an empty declaration be pruned towards.
	AllowEmpty bool
	// Forget lists records to drop. What they are records of stays as it is.
	Forget []state.Key
	// OnFailure says what becomes of the rest when a change fails. Defaults to
	// AllOrNothing where the backend can do it, else to KeepGoing.
	OnFailure FailureMode
	// Wait makes Apply wait for the lease of the scope, as long as its context
	// lives, in place of returning ErrLocked.
	Wait bool
	// Records makes the plan and its result hold all records even if nothing
	// changes. Then an unchanged sync reads the whole State, not its head alone.
	Records bool
}

// FailureMode says what becomes of a run when one of its changes fails.
type FailureMode string

// The failure modes.
const (
	// AllOrNothing commits once, at the end: a failure leaves nothing behind.
	AllOrNothing FailureMode = "all-or-nothing"
	// KeepGoing carries out everything that doesn't depend on a failure, and
	// commits every Options.BatchSize changes.
	KeepGoing FailureMode = "keep-going"
	// StopAtFirst starts nothing after a failure; what was done stays recorded.
	StopAtFirst FailureMode = "stop-at-first"
)

func (m FailureMode) valid() bool {
	switch m {
	case "", AllOrNothing, KeepGoing, StopAtFirst:
		return true
	}
	return false
}

// Limit is how many of the records may be deleted: a number or a percentage.
// The zero Limit is the default, the larger of 10 and 25%.
type Limit struct {
	set     bool
	count   int
	percent float64
}

// LimitCount limits to n records; 0 means none at all.
func LimitCount(n int) Limit { return Limit{set: true, count: max(0, n)} }

// LimitPercent limits to a percentage of the records, rounded down.
func LimitPercent(percent float64) Limit { return Limit{set: true, percent: max(0, percent)} }

// ParseLimit reads "N" or "N%"; the empty text is the default.
func ParseLimit(text string) (Limit, error) {
	if text == "" {
		return Limit{}, nil
	}
	if number, ok := strings.CutSuffix(text, "%"); ok {
		percent, err := strconv.ParseFloat(number, 64)
		if err != nil || !(percent >= 0 && percent <= 100) {
			return Limit{}, fmt.Errorf("prune limit %q: want a number, or a percentage from 0%% to 100%%", text)
		}
		return LimitPercent(percent), nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return Limit{}, fmt.Errorf("prune limit %q: want a number, or a percentage from 0%% to 100%%", text)
	}
	return LimitCount(n), nil
}

// of returns the limit in records.
func (l Limit) of(records int) int {
	switch {
	case !l.set:
		return max(10, records/4)
	case l.percent > 0:
		return int(l.percent * float64(records) / 100)
	}
	return l.count
}
