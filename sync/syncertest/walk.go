package syncertest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

func modelTests() []test {
	return []test{{name: "RandomSyncsKeepEveryPromise", run: randomWalks}}
}

// walkLength is how many steps a walk has.
const walkLength = 100

// seedVariable is the environment variable that names the first walk's seed.
const seedVariable = "TRUEUP_MODEL_SEED"

// randomWalks takes random steps, and checks after each that everything still
// holds: 10,000 of them in a full soak. A walk that fails prints its seed, with
// which it can be taken again, and the fewest steps that were found to fail too.
func randomWalks(t *testing.T, s *Suite) {
	first, err := strconv.ParseUint(os.Getenv(seedVariable), 10, 64)
	if err != nil {
		first = 1
	}
	for n := range Soak(100) {
		seed := first + uint64(n)
		t.Run(fmt.Sprintf("Seed%d", seed), func(t *testing.T) {
			t.Parallel()
			var steps []int
			for step := range walkLength {
				steps = append(steps, step)
			}
			if failed := s.walk(t, seed, steps, 0); failed != nil {
				t.Fatalf("%s=%d:\n%s", seedVariable, seed, s.shrink(t, seed, steps, failed))
			}
		})
	}
}

// shrink leaves out steps of a walk that fails as long as it fails without them,
// and returns how it failed last.
func (s *Suite) shrink(t *testing.T, seed uint64, steps []int, failed *failure) *failure {
	tries := 0
	steps = steps[:slices.Index(steps, failed.step)+1]
	for size := len(steps) / 2; size > 0; size /= 2 {
		for from := 0; from+size <= len(steps) && tries < 200; {
			fewer := slices.Delete(slices.Clone(steps), from, from+size)
			tries++
			if again := s.walk(t, seed, fewer, tries); again != nil {
				steps, failed = fewer[:slices.Index(fewer, again.step)+1], again
			} else {
				from += size
			}
		}
	}
	return failed
}

// failure is how a walk ended.
type failure struct {
	step int
	err  error
	log  []string
}

// String tells of the last steps, and what was wrong after them.
func (f *failure) String() string {
	return fmt.Sprintf("%s\nstep %d: %v", strings.Join(f.log[max(0, len(f.log)-40):], "\n"), f.step, f.err)
}

// walk is what a random walk knows of what there must be.
type walk struct {
	*outside
	t       *testing.T
	program *program // the process that lives
	wants   wants
	moves   []tusync.Move
	names   int // that were made up
	// unowned are the things that nobody has to know of: planted by us, or
	// forgotten. removed and edited are those that were changed behind the engine's
	// back.
	unowned, removed, edited map[string]bool
	roots                    map[int64]state.Checksum // by serial, as they were seen
	log                      []string
}

// newWalk returns a walk on a fresh store. Each try has a scope of its own.
func (s *Suite) newWalk(t *testing.T, try int) *walk {
	t.Helper()
	w := &walk{
		outside: s.outside(t), t: t, wants: wants{}, roots: map[int64]state.Checksum{},
		unowned: map[string]bool{}, removed: map[string]bool{}, edited: map[string]bool{},
	}
	if try > 0 {
		w.scope.App = fmt.Sprintf("%s-%d", w.scope.App, try)
		w.reader = w.open(t)
	}
	return w
}

// walk takes the steps of a seed. Every step has random numbers of its own, so that
// one can be left out.
func (s *Suite) walk(t *testing.T, seed uint64, steps []int, try int) *failure {
	t.Helper()
	w := s.newWalk(t, try)
	if seed%2 == 0 && !s.lacks(DigestKeys) {
		w.digestKey = nil
	}
	for _, step := range steps {
		w.note("step %d", step)
		err := w.step(rand.New(rand.NewPCG(seed, uint64(step))))
		if err == nil && (step%10 == 9 || try > 0) {
			err = w.hasHistory()
		}
		if err != nil {
			return &failure{step: step, err: err, log: w.log}
		}
	}
	return nil
}

func (w *walk) note(format string, args ...any) { w.log = append(w.log, fmt.Sprintf(format, args...)) }

// step takes one step: it edits the declaration, syncs, or does something behind
// the engine's back.
func (w *walk) step(r *rand.Rand) error {
	steps := []struct {
		weight int
		take   func(*rand.Rand) error
	}{
		{30, w.edit}, {35, w.sync}, {8, w.drift}, {6, w.race}, {6, w.later}, {5, w.rollback}, {4, w.forget}, {6, w.resolve},
	}
	n := r.IntN(100)
	for _, s := range steps {
		if n -= s.weight; n < 0 {
			return s.take(r)
		}
	}
	return nil
}

// process returns the process that lives, or starts another one.
func (w *walk) process(r *rand.Rand) (*program, error) {
	if w.program != nil && r.IntN(3) > 0 {
		w.program.reset()
		return w.program, nil
	}
	opts := &tusync.Options{BatchSize: 1 + r.IntN(5), Parallel: 1 + r.IntN(4), Retries: -1, Owner: fmt.Sprintf("process %d", r.IntN(1000))}
	if r.IntN(20) == 0 {
		opts.Retries = 1
	}
	var err error
	w.program, err = w.outside.program(opts)
	return w.program, err
}

// hasHistory checks the history: no serial is left out, and no State is another one
// than it was.
func (w *walk) hasHistory() error {
	historian, ok := tusync.AbilityOf[tusync.Historian](w.reader)
	if !ok {
		return nil
	}
	head, err := w.reader.Head(w.t.Context())
	if err != nil || head.Serial == 0 {
		return err
	}
	w.roots[head.Serial] = head.Root
	next := head.Serial
	for head, err := range historian.History(w.t.Context()) {
		if err != nil {
			return err
		}
		if head.Serial != next {
			return fmt.Errorf("history: State %d comes where %d should", head.Serial, next)
		}
		if root, seen := w.roots[head.Serial]; seen && root != head.Root {
			return fmt.Errorf("history: the State %d has another root than it had", head.Serial)
		}
		next--
	}
	return nil
}
