package filesyncer_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync/filesyncer"
)

// FuzzJournal reads anything as a journal: it is a sequence of whole commits, or
// it is reported.
func FuzzJournal(f *testing.F) {
	whole := underway(f)
	f.Add(whole["journal.jsonl"])
	f.Add([]byte(`{"sum":"sha256:`))
	f.Add([]byte("\n\n\x00"))
	f.Fuzz(func(t *testing.T, journal []byte) {
		serials, size, err := filesyncer.ParseJournal(journal)
		if err != nil {
			var corrupt *filesyncer.CorruptError
			require.True(t, errors.As(err, &corrupt) || errors.Is(err, state.ErrNewerVersion), "%v", err)
			return
		}
		require.LessOrEqual(t, size, int64(len(journal)))
		for i, serial := range serials {
			require.Equal(t, serials[0]+int64(i), serial)
		}
		// What is kept when the torn end is cut off is the same journal.
		again, kept, err := filesyncer.ParseJournal(journal[:size])
		require.NoError(t, err)
		require.Equal(t, serials, again)
		require.Equal(t, size, kept)
	})
}

// FuzzDeclared reads anything as declarations: what is found fits its checksum.
func FuzzDeclared(f *testing.F) {
	whole := underway(f)
	f.Add(whole["declared.jsonl"])
	f.Add([]byte("sha256:00 {}\n"))
	f.Fuzz(func(t *testing.T, declared []byte) {
		dir := files{"declared.jsonl": declared}.write(t)
		sums := []state.Checksum{state.Sum([]byte("{}"))}
		for _, name := range []string{"one", "two", "three", "four", "five"} {
			r := resource(name)
			sum, err := r.Checksum()
			require.NoError(t, err)
			sums = append(sums, sum)
		}
		found, err := open(t, dir).Declared(t.Context(), sums)
		if err != nil {
			var corrupt *filesyncer.CorruptError
			require.ErrorAs(t, err, &corrupt)
			require.Positive(t, corrupt.Line)
			return
		}
		for sum, r := range found {
			got, err := r.Checksum()
			require.NoError(t, err)
			require.Equal(t, sum, got)
		}
		for i, name := range []string{"one", "two", "three", "four", "five"} {
			text, err := resource(name).MarshalJSON()
			require.NoError(t, err)
			line := []byte(sums[i+1].String() + " " + string(text))
			_, ok := found[sums[i+1]]
			require.Equal(t, slices.ContainsFunc(wholeLines(declared), func(l []byte) bool { return bytes.Equal(l, line) }), ok, name)
		}
	})
}

func wholeLines(text []byte) [][]byte {
	lines := bytes.Split(text, []byte("\n"))
	return lines[:len(lines)-1]
}

// FuzzDirectory cuts a file of a directory off somewhere, or flips a bit of it:
// then an earlier State is read, or the damage is reported; and if it is read, it
// can be gone on from.
func FuzzDirectory(f *testing.F) {
	whole := underway(f)
	f.Add(uint8(0), uint16(100), uint8(8))
	f.Add(uint8(1), uint16(900), uint8(8))
	f.Add(uint8(1), uint16(900), uint8(3))
	f.Add(uint8(2), uint16(50), uint8(0))
	f.Fuzz(func(t *testing.T, which uint8, at uint16, bit uint8) {
		name := []string{"state.json", "journal.jsonl", "declared.jsonl"}[which%3]
		changed := files{}
		for file, text := range whole {
			changed[file] = bytes.Clone(text)
		}
		text := changed[name]
		offset := int(at) % len(text)
		if bit < 8 {
			text[offset] ^= 1 << bit
		} else {
			changed[name] = text[:offset]
		}
		dir := changed.write(t)
		stage, ok := requireStage(t, dir, 2)
		if !ok {
			return
		}
		w, err := begin(t.Context(), open(t, dir))
		if err != nil { // the serial in state.json is another one, which only a writer must know
			var corrupt *filesyncer.CorruptError
			require.ErrorAs(t, err, &corrupt)
			return
		}
		require.NoError(t, w.tx.Close(t.Context()))
		write(t, open(t, dir), "five")
		require.Equal(t, sorted(append(slices.Clone(stages()[stage]), "five")), names(t, dir))
	})
}

// FuzzHistory cuts a file of the history off somewhere, or flips a bit of it: then
// each earlier State is what it was, or the damage is reported; and the present
// one is what it was in any case, and can be gone on from.
func FuzzHistory(f *testing.F) {
	dir := underway(f).write(f)
	write(f, open(f, dir), "five")
	stages := append(stages(), []string{"five", "four", "three", "two"})
	whole := files{}
	for _, name := range []string{"state.json", "declared.jsonl", "history/2.json", "history/3.jsonl"} {
		whole[name] = read(f, dir, name)
	}
	f.Add(uint8(0), uint16(100), uint8(8))
	f.Add(uint8(1), uint16(900), uint8(8))
	f.Add(uint8(1), uint16(900), uint8(3))
	f.Add(uint8(0), uint16(50), uint8(0))
	f.Fuzz(func(t *testing.T, which uint8, at uint16, bit uint8) {
		name := []string{"history/2.json", "history/3.jsonl"}[which%2]
		changed := files{}
		for file, text := range whole {
			changed[file] = bytes.Clone(text)
		}
		text := changed[name]
		offset := int(at) % len(text)
		if bit < 8 {
			text[offset] ^= 1 << bit
		} else {
			changed[name] = text[:offset]
		}
		dir := changed.write(t)
		requireStages(t, dir, stages)
		write(t, open(t, dir), "six")
		requireStages(t, dir, append(slices.Clone(stages), []string{"five", "four", "six", "three", "two"}))
	})
}

// requireStages checks that each State that is kept is its stage, or reported, and
// that the last is there.
func requireStages(t *testing.T, dir string, stages [][]string) {
	t.Helper()
	b, last := open(t, dir), int64(len(stages)-1)
	reported := func(err error) {
		t.Helper()
		var corrupt *filesyncer.CorruptError
		require.True(t, errors.As(err, &corrupt) || errors.Is(err, state.ErrNewerVersion), "%v", err)
	}
	got, err := serials(t, b)
	require.Equal(t, down(last, last-int64(len(got))+1), got)
	if err != nil {
		reported(err)
	}
	require.NotEmpty(t, got)
	for serial := last; serial >= 2; serial-- {
		var names []string
		_, records, err := b.StateAt(t.Context(), serial)
		if err == nil {
			for r, rerr := range records {
				names, err = append(names, r.Name), rerr
			}
		}
		if err != nil {
			require.NotEqual(t, last, serial)
			reported(err)
			continue
		}
		require.Equal(t, stages[serial], names)
	}
}

// requireStage checks that what a directory holds is one of the stages from one
// on, or reported.
func requireStage(t *testing.T, dir string, from int) (stage int, ok bool) {
	t.Helper()
	got, err := readAll(t, dir)
	if err != nil {
		var corrupt *filesyncer.CorruptError
		var scope *filesyncer.ScopeError
		reported := errors.As(err, &corrupt) || errors.As(err, &scope) || errors.Is(err, state.ErrNewerVersion) ||
			err.Error() == "a declaration is not there, and no error"
		require.True(t, reported, "%v", err)
		return 0, false
	}
	for stage := from; stage < len(stages()); stage++ {
		if slices.Equal(stages()[stage], got) {
			return stage, true
		}
	}
	require.Fail(t, "read something that never was", "%v", got)
	return 0, false
}
