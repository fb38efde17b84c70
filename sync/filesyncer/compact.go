package filesyncer

import (
	"context"
	"errors"
	"io"
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
	info, err := os.Stat(filepath.Join(t.b.dir, snapshotFile))
	if err != nil {
		return 0
	}
	return info.Size()
}

// compact writes the State to a new state.json and takes the journal away. Until
// the new file has its name, everything is as before; from then on the journal's
// commits are skipped. If all is set, every file is replaced.
func (t *tx) compact(ctx context.Context, all bool) error {
	if err := t.load(ctx); err != nil {
		return err
	}
	if t.head.Serial == 0 {
		return errors.Join(t.journal.retire(), t.declared.retire())
	}
	live, size, err := t.writeSnapshot(ctx)
	if err != nil {
		return err
	}
	t.books.snapshot = size
	t.books.overlay = overlay{}
	return errors.Join(t.journal.retire(), t.collect(ctx, live, all))
}

// writeSnapshot puts a new state.json in place. It returns the checksums of the
// declarations that its records name, and its size.
func (t *tx) writeSnapshot(ctx context.Context) (live map[state.Checksum]bool, size int64, err error) {
	live = make(map[state.Checksum]bool, t.head.Records)
	path := filepath.Join(t.b.dir, snapshotFile)
	size, err = t.replace(path, func(w io.Writer) error {
		s, err := openSnapshot(t.b.dir)
		if err != nil {
			return err
		}
		defer s.close()
		enc, err := state.NewEncoder(w, t.head)
		if err != nil {
			return err
		}
		for record, err := range merge(s.records(), t.books.overlay) {
			if err == nil {
				err = ctx.Err()
			}
			if err == nil {
				err = enc.Write(&record)
			}
			if err != nil {
				return err
			}
			live[record.Checksum] = true
			for _, pending := range record.Pending {
				live[pending.Checksum] = true
			}
		}
		return enc.Close()
	})
	return live, size, err
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

// collect writes the declarations anew without those that no record names, once
// they are more than half of the file.
func (t *tx) collect(ctx context.Context, live map[state.Checksum]bool, all bool) error {
	if t.declared.file == nil {
		return nil
	}
	if _, err := t.b.store.look(); err != nil {
		return err
	}
	if !all && 2*t.b.store.sizeOf(live) >= t.declared.size {
		return nil
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
