package sync

import (
	"fmt"
	"maps"
	"slices"
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
	// Parallel is how many calls of Handlers and Deployers may be under way at
	// once, in all. Defaults to 10.
	Parallel int
	// Retries is how often an act of a Handler, or a call of the backend, that
	// failed with a Retryable error is tried again, after a pause that grows.
	// Defaults to 3; -1 means never, but for a commit, which is tried twice.
	Retries int
	// DigestKey is the key for the digests of sensitive values: at least 16 bytes.
	// Defaults to a random one per scope that the backend keeps (DigestKeeper).
	// Another key makes every resource with a sensitive value differ.
	DigestKey []byte
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
	if opts.Parallel < 0 {
		return opts, fmt.Errorf("Options.Parallel is %d: want 1 or more, or 0 for the default", opts.Parallel)
	}
	if n := len(opts.DigestKey); n > 0 && n < 16 {
		return opts, fmt.Errorf("Options.DigestKey has %d bytes: want at least 16", n)
	}
	if opts.Parallel == 0 {
		opts.Parallel = 10
	}
	if opts.Retries == 0 {
		opts.Retries = 3
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
	// Prune deletes orphans, but for what is protected, and for what something that
	// stays depends on. Without it they all stay on the books.
	Prune bool
	// PruneLimit is how many records pruning may delete. Defaults to the larger
	// of 10 and 25% of the records.
	PruneLimit Limit
	// AllowEmpty lets an empty declaration be pruned towards.
	AllowEmpty bool
	// Forget lists records to drop. What they are records of stays as it is.
	Forget []state.Key
	// OnFailure says what becomes of the rest when a change fails. Defaults to
	// AllOrNothing where the backend can do it and no kind has a Handler or
	// Deployer, else to KeepGoing.
	OnFailure FailureMode
	// Wait makes Apply wait for the lease of the scope, as long as its context
	// lives, in place of returning ErrLocked.
	Wait bool
	// Selection limits the plan to a part of the declaration. Nil: everything.
	Selection *Selection
	// Existing says what becomes of a thing that is to be created and exists
	// already, unrecorded, where a Finder finds it. Defaults to ExistingError.
	Existing ExistingMode
	// Adopt takes over existing things for declared resources: by ID, or, where it
	// is empty, what the kind's Finder finds. An ID is taken at its word where the
	// kind has no Observer.
	Adopt map[state.Key]string
	// Observe compares with the live things too, where there is an Observer.
	Observe bool
	// NoDeploy leaves deploys for another time: they stay pending.
	NoDeploy bool
	// Redeploy lists resources, declared with Deploy, that are deployed whether there
	// is a reason or not. To deploy them and nothing else but what comes after them,
	// select them too (Selection.Keys).
	Redeploy []state.Key
	// Records makes the plan and its result hold all records even if nothing
	// changes. Then an unchanged sync reads the whole State, not its head alone.
	Records bool
}

func (o *PlanOptions) validate() error {
	if !o.OnFailure.valid() {
		return SyncInternalErr{Description: fmt.Sprintf("plan: unknown failure mode %q", o.OnFailure)}
	}
	if o.NoDeploy && len(o.Redeploy) > 0 {
		return SyncInternalErr{Description: "plan: NoDeploy and Redeploy can't both be asked for"}
	}
	switch o.Existing {
	case "", ExistingError, ExistingAdopt, ExistingReplace:
		return nil
	}
	return SyncInternalErr{Description: fmt.Sprintf("plan: unknown existing mode %q", o.Existing)}
}

// clone returns options that share nothing with o.
func (o *PlanOptions) clone() PlanOptions {
	own := *o
	own.Forget, own.Adopt, own.Redeploy = slices.Clone(o.Forget), maps.Clone(o.Adopt), slices.Clone(o.Redeploy)
	if s := o.Selection; s != nil {
		own.Selection = &Selection{Keys: slices.Clone(s.Keys), Kinds: slices.Clone(s.Kinds), Tags: slices.Clone(s.Tags)}
	}
	return own
}

// Selection is a part of a declaration: what any of the lists names, and for
// each change the changes that it needs; for each delete, the deletes of what
// depends on it; for each deploy, the deploys of what comes after it. Records outside it are left as they are. An empty Selection
// selects nothing.
type Selection struct {
	// Keys select resources.
	Keys []state.Key
	// Kinds select every resource of a kind.
	Kinds []string
	// Tags select every resource that has one of them.
	Tags []string
}

// ExistingMode says what becomes of a thing that exists and isn't recorded.
type ExistingMode string

// The existing modes.
const (
	// ExistingError makes it an error of the plan.
	ExistingError ExistingMode = "error"
	// ExistingAdopt takes it over.
	ExistingAdopt ExistingMode = "adopt"
	// ExistingReplace deletes it and creates what is declared.
	ExistingReplace ExistingMode = "replace"
)

// FailureMode says what becomes of a run when one of its changes fails.
type FailureMode string

// The failure modes.
const (
	// AllOrNothing commits what the backend itself stores once, at the end: a
	// failure leaves nothing of it behind. What Handlers do is recorded as it
	// happens, before or after that: before an act that needs something of the
	// backend's, that is committed.
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

// LimitPercent limits to a percentage of the records, rounded down; more than 100
// is 100.
func LimitPercent(percent float64) Limit {
	return Limit{set: true, percent: min(100, max(0, percent))}
}

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

// String returns the text that ParseLimit reads: empty for the default.
func (l Limit) String() string {
	switch {
	case !l.set:
		return ""
	case l.percent > 0:
		return strconv.FormatFloat(l.percent, 'g', -1, 64) + "%"
	}
	return strconv.Itoa(l.count)
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
