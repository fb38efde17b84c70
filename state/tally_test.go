package state_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
)

// randomRecord returns one of few records of a name.
func randomRecord(random *rand.Rand, name string) state.Record {
	r := state.Record{Key: state.Key{Kind: "server", Name: name}, ID: fmt.Sprint(random.IntN(3)), Orphaned: random.IntN(3) == 0}
	r.Checksum = state.Sum([]byte{byte(random.IntN(3))})
	switch random.IntN(3) {
	case 0:
		r.Pending = []state.Pending{{Op: "update", Serial: 1}}
	case 1:
		r.Replaced = "old"
	}
	return r
}

// counted returns a head with what the records make, counted one by one.
func counted(t *testing.T, records []state.Record) state.Head {
	t.Helper()
	head := state.Head{Version: state.DefaultStateVersion, Records: len(records)}
	var root, declared state.Tree
	for i := range records {
		r := &records[i]
		text, err := r.AppendJSON(nil)
		require.NoError(t, err)
		root.Add(state.Sum(text))
		if r.Orphaned {
			head.Orphans++
		} else {
			declared.Add(state.DeclaredPart(r.Key, r.Checksum, r.After))
		}
		if r.Unfinished() {
			head.Pending++
		}
	}
	head.Root, head.Declared = root.Root(), declared.Root()
	return head
}

func TestTallyIsThatOfWhatIsLeft(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 6))
	var tally state.Tally
	records, parts := map[string]state.Record{}, map[string]state.Part{}
	for range 3000 {
		name := fmt.Sprint(random.IntN(40))
		if was := parts[name]; random.IntN(3) == 0 { // it may be that there is none
			tally.Swap(was, state.Part{})
			delete(records, name)
			delete(parts, name)
		} else {
			record := randomRecord(random, name)
			is, err := record.Part()
			require.NoError(t, err)
			tally.Swap(was, is)
			records[name], parts[name] = record, is
		}
		if random.IntN(8) > 0 {
			continue // several come and go between two heads
		}
		left := slices.SortedFunc(maps.Values(records), func(a, b state.Record) int { return a.Compare(b.Key) })
		head := tally.Seal(state.Head{})
		require.Equal(t, counted(t, left), head)
		sealed, err := state.Seal(state.Head{}, left)
		require.NoError(t, err)
		require.Equal(t, sealed, head)
		require.NoError(t, tally.Fits(&head))
	}
}

func TestTallyOfNoRecords(t *testing.T) {
	t.Parallel()
	var tally state.Tally
	tally.Swap(state.Part{}, state.Part{})
	require.Equal(t, counted(t, nil), tally.Seal(state.Head{}))
}

func TestTallyNamesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	records := []state.Record{
		{Key: state.Key{Kind: "server", Name: "db"}, Orphaned: true},
		{Key: state.Key{Kind: "server", Name: "web"}, Replaced: "old"},
	}
	var tally state.Tally
	for i := range records {
		part, err := records[i].Part()
		require.NoError(t, err)
		tally.Swap(state.Part{}, part)
	}
	good, other := tally.Seal(state.Head{Serial: 7, By: "me"}), state.Sum([]byte("other"))
	require.Equal(t, []any{int64(7), "me"}, []any{good.Serial, good.By}, "what is not the tally's stays")
	require.NoError(t, tally.Fits(&good))

	counts := func(records, orphans, pending int) error {
		return fmt.Errorf("the head counts %d records, %d orphans, %d pending; there are 2, 1, 1", records, orphans, pending)
	}
	for name, test := range map[string]struct {
		change func(*state.Head)
		want   error
	}{
		"the root":          {func(h *state.Head) { h.Root = other }, &state.ChecksumError{Want: other, Got: good.Root}},
		"the declared root": {func(h *state.Head) { h.Declared = other }, &state.ChecksumError{Want: other, Got: good.Declared}},
		"the records":       {func(h *state.Head) { h.Records++ }, counts(3, 1, 1)},
		"the orphans":       {func(h *state.Head) { h.Orphans++ }, counts(2, 2, 1)},
		"the pending":       {func(h *state.Head) { h.Pending++ }, counts(2, 1, 2)},
	} {
		head := good
		test.change(&head)
		require.Equal(t, test.want, tally.Fits(&head), name)
	}
}

func TestPartOfIsThePart(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 8))
	for range 30 {
		record := randomRecord(random, "web")
		text, err := record.AppendJSON(nil)
		require.NoError(t, err)
		part, err := record.Part()
		require.NoError(t, err)
		require.Equal(t, part, state.PartOf(&record, state.Sum(text)))
		require.Equal(t, []any{record.Orphaned, record.Unfinished()}, []any{part.Declared.IsZero(), part.Unfinished})
	}
}
