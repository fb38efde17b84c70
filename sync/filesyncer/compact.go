package filesyncer

import (
	"context"
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"

	"github.com/trueup-go/trueup/state"
)

// small is the size up to which a State is written anew whenever a Tx closes, so
// that state.json is what there is.
const small = 1 << 20

// compactionIsDue tells whether the journal is worth folding into the snapshot:
// while that costs little, and once reading the journal costs more than that.
func (t *tx) compactionIsDue() bool {
	if t.journal.file == nil || t.journal.broken != nil {
		return false
	}
	snapshot := t.snapshotSize()
	return snapshot+t.journal.size < small || t.journal.size > snapshot/2
}

// snapshotSize returns the size of state.json, 0 if there is none.
func (t *tx) snapshotSize() int64 {
	if t.books != nil {
		return t.books.snapshot
	}
	info, err := os.Stat(t.b.path(snapshotFile))
	if err != nil {
		return 0
	}
	return info.Size()
}

// compact puts the journal's commits in the history, writes the State to a new
// state.json and takes the journal away. Until the new file has its name,
// everything is as before; from then on the journal's commits are skipped. If all
// is set, every file that is added to is replaced.
func (t *tx) compact(ctx context.Context, all bool) error {
	if err := t.load(ctx); err != nil {
		return err
	}
	if t.head.Serial == 0 {
		return errors.Join(t.journal.retire(), t.declared.retire())
	}
	if err := t.keep(ctx); err != nil {
		return err
	}
	live, size, err := t.writeSnapshot(ctx)
	if err != nil {
		return err
	}
	before := t.books.folded
	t.books.snapshot, t.books.folded = size, t.head.Serial
	t.books.overlay = overlay{}
	return errors.Join(t.journal.retire(), t.tidyArchive(), t.collect(ctx, live, before, all))
}

// writeSnapshot puts a new state.json in place. It returns the checksums of the
// declarations that its records name, and its size.
func (t *tx) writeSnapshot(ctx context.Context) (live map[state.Checksum]bool, size int64, err error) {
	live = make(map[state.Checksum]bool, t.head.Records)
	path := t.b.path(snapshotFile)
	size, err = t.replace(path, func(w io.Writer) error {
		s, err := openSnapshot(t.b.path(snapshotFile))
		if err != nil {
			return err
		}
		defer s.close()
		records := marking(live, merge(s.records(), t.books.overlay))
		return encode(ctx, w, t.head, records)
	})
	return live, size, err
}

// encode writes a State.
func encode(ctx context.Context, w io.Writer, head state.Head, records iter.Seq2[state.Record, error]) error {
	enc, err := state.NewEncoder(w, head)
	if err != nil {
		return err
	}
	for record, err := range records {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = enc.Write(&record)
		}
		if err != nil {
			return err
		}
	}
	return enc.Close()
}

// replace writes a file in the work directory and gives it its name when it is
// whole and on the disk.
func (t *tx) replace(path string, write func(io.Writer) error) (int64, error) {
	hidden := filepath.Join(t.lease.work, filepath.Base(path))
	f, err := createAnew(t.b.disk, hidden)
	if err != nil {
		return 0, err
	}
	w := counter{w: f}
	err = write(&w)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = t.b.disk.Rename(hidden, path)
	}
	if err == nil {
		err = t.b.disk.SyncDir(filepath.Dir(path))
	}
	if err != nil {
		return 0, errors.Join(diskError("write", path, err), t.b.disk.RemoveAll(hidden))
	}
	return w.n, nil
}
