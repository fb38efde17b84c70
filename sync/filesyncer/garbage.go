package filesyncer

import (
	"bufio"
	"context"
	"errors"
	"io"
	"iter"
	"os"

	"github.com/trueup-go/trueup/state"
)

// collect writes the declarations anew without those that neither the State nor
// an earlier one names, once they are more than half of the file. live are those
// that the State names; the serial of the State that was folded before is before.
// If all is set the file is replaced in any case.
func (t *tx) collect(ctx context.Context, live map[state.Checksum]bool, before int64, all bool) error {
	if t.declared.file == nil {
		return nil
	}
	if _, err := t.b.store.look(); err != nil {
		return err
	}
	worth := func() bool { return 2*t.b.store.sizeOf(live) < t.declared.size }
	drop := worth() && t.isLookDue(before)
	if drop && t.b.opts.History > 0 {
		// What is not known to be garbage is none: a history that is damaged is
		// reported to those who ask for it.
		drop = t.b.markEarlier(ctx, live) == nil && worth()
	}
	if !drop {
		if !all {
			return nil
		}
		live = nil
	}
	size, err := t.replace(t.declared.path, func(w io.Writer) error { return t.b.store.copy(ctx, w, live) })
	if err != nil {
		return err
	}
	if err := t.declared.close(); err != nil {
		return err
	}
	return t.declared.open(size)
}

// isLookDue tells whether it is time to look what earlier States name: not each
// time, but when there is a good part of new ones.
func (t *tx) isLookDue(before int64) bool {
	every := max(1, int64(t.b.opts.History)/4)
	return t.head.Serial/every != before/every
}

// markEarlier notes which declarations the States of the archive name.
func (b *Backend) markEarlier(ctx context.Context, live map[state.Checksum]bool) error {
	a, err := b.openArchive()
	if err != nil {
		return err
	}
	for _, serial := range a.states {
		s, err := a.open(serial)
		if err != nil {
			return err
		}
		for _, err = range marking(live, s.records()) {
			if err = errors.Join(err, ctx.Err()); err != nil {
				break
			}
		}
		s.close()
		if err != nil {
			return err
		}
	}
	for i := range a.commits {
		commits, err := a.read(i, wholeCommit)
		if err = errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		for _, c := range commits {
			for j := range c.Records {
				mark(live, &c.Records[j])
			}
		}
	}
	return nil
}

// marking yields records, and notes which declarations they name.
func marking(live map[state.Checksum]bool, records iter.Seq2[state.Record, error]) iter.Seq2[state.Record, error] {
	return func(yield func(state.Record, error) bool) {
		for record, err := range records {
			mark(live, &record)
			if !yield(record, err) {
				return
			}
		}
	}
}

func mark(live map[state.Checksum]bool, r *state.Record) {
	live[r.Checksum] = true
	for i := range r.Pending {
		live[r.Pending[i].Checksum] = true
	}
}

// sizeOf returns how much of the file the declarations with these checksums are.
func (s *store) sizeOf(live map[state.Checksum]bool) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	var size int64
	for sum, at := range s.lines {
		if live[sum] {
			size += int64(sumSize + 1 + at.size + 1)
		}
	}
	return size
}

// copy writes the lines of the declarations with these checksums to w, all lines
// if live is nil. A damaged line is kept as it is: whoever misses a declaration
// must be told of it.
func (s *store) copy(ctx context.Context, w io.Writer, live map[state.Checksum]bool) error {
	f, err := os.Open(s.path)
	if err != nil {
		return err
	}
	defer closeRead(f)
	in, out := bufio.NewReaderSize(f, 1<<20), bufio.NewWriterSize(w, 1<<20)
	for {
		line, err := readWhole(in)
		if errors.Is(err, io.EOF) {
			return out.Flush()
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		sum, ok := lineChecksum(line)
		if ok && live != nil && !live[sum] && state.Sum(line[sumSize+1:]) == sum {
			continue
		}
		out.Write(line)
		out.WriteByte('\n')
	}
}
