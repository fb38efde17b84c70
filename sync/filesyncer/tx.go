package filesyncer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// tx is the one writer of the directory.
type tx struct {
	b     *Backend
	lease *lease

	mu     sync.Mutex // between Renew and Close
	closed bool

	head     state.Head
	journal  log
	declared log
	books    *books // nil until they are needed
	// last is the checksum of the line of the last commit, made on the root base.
	last, base state.Checksum
	// untidy is why the last compaction failed.
	untidy error
}

// books are what a writer keeps in memory of the State: enough to verify a
// commit, and to write the next snapshot.
type books struct {
	parts, spare parts
	overlay      overlay // what the journal adds to the snapshot
	snapshot     int64   // its size in bytes
}

func newTx(b *Backend, l *lease) *tx {
	t := &tx{b: b, lease: l}
	t.journal = log{disk: b.disk, path: filepath.Join(b.dir, journalFile), work: l.work}
	t.declared = log{disk: b.disk, path: filepath.Join(b.dir, declaredFile), work: l.work}
	return t
}

// begin makes sure that nobody else writes, and cleans up after those before.
func (t *tx) begin(ctx context.Context, before *holder) error {
	if err := t.lease.clear(); err != nil {
		return err
	}
	end, err := t.open()
	if err != nil {
		return err
	}
	// If the lease is ours still, the files that are open are those of our time:
	// who takes it from us replaces them.
	if err := t.lease.check(); err != nil {
		return err
	}
	if before.mayGoOn() {
		// It may have the files open, and add to them at any time. So they are
		// replaced, and what it adds is seen by nobody.
		return t.compact(ctx, true)
	}
	if err := errors.Join(t.journal.trim(), t.declared.trim()); err != nil {
		return err
	}
	if t.head, err = t.b.readHead(); err != nil {
		return err
	}
	return t.finishCompaction(&end)
}

// open opens the files that are appended to, and finds out how far they go.
func (t *tx) open() (tail, error) {
	end, err := reread(func() (tail, error) { return readTail(t.b.dir) })
	if err != nil {
		return tail{}, err
	}
	if err := t.journal.open(end.size); err != nil {
		return tail{}, err
	}
	declared, err := t.b.store.look()
	if err != nil {
		return tail{}, err
	}
	return end, t.declared.open(declared)
}

// finishCompaction takes the journal away if the snapshot holds all of it.
func (t *tx) finishCompaction(end *tail) error {
	if len(end.last.delta) == 0 {
		return nil
	}
	last, err := end.last.head()
	if err != nil || last.Serial != t.head.Serial {
		return err
	}
	s, err := openSnapshot(t.b.dir)
	if err != nil {
		return err
	}
	defer s.close()
	if s.head().Serial < last.Serial {
		return nil
	}
	return t.journal.retire()
}

// usable tells whether anything can be done.
func (t *tx) usable(ctx context.Context) error {
	if t.closed {
		return errors.New("the transaction is closed")
	}
	return ctx.Err()
}

// Apply accepts every change: what the directory stores of a resource is its
// record and its declaration, and they come with the commit.
func (t *tx) Apply(ctx context.Context, changes []diff.Change) ([]tusync.Outcome, error) {
	if err := t.usable(ctx); err != nil {
		return nil, err
	}
	outcomes := make([]tusync.Outcome, len(changes))
	for i, change := range changes {
		switch c := change.(type) {
		case *diff.Create:
			outcomes[i].ID = c.ID
		case *diff.Update, *diff.Delete:
		default:
			return nil, fmt.Errorf("a change of type %T can't be applied", change)
		}
	}
	return outcomes, nil
}

// Commit records the delta: the new declarations first, then, in one append that
// reaches the disk before Commit returns, a line of the journal.
func (t *tx) Commit(ctx context.Context, delta state.Delta) (state.Head, error) {
	if err := t.lease.why(t.commit(ctx, &delta)); err != nil {
		return state.Head{}, fmt.Errorf("commit serial %d of %s: %w", delta.Head.Serial, t.b.scope, err)
	}
	return t.head, nil
}

func (t *tx) commit(ctx context.Context, delta *state.Delta) error {
	if err := t.usable(ctx); err != nil {
		return err
	}
	if err := t.lease.check(); err != nil {
		return err
	}
	if repeated, err := t.isRepeated(delta); repeated || err != nil {
		return err
	}
	next, err := t.verify(ctx, delta)
	if err != nil {
		return err
	}
	line, sum, err := appendLine(nil, t.head.Root, delta)
	if err != nil {
		return err
	}
	if err := t.addDeclared(delta.Declared); err != nil {
		return err
	}
	if err := t.journal.append(func(w io.Writer) error { _, err := w.Write(line); return err }); err != nil {
		return err
	}
	if err := t.isRecorded(ctx, &delta.Head); err != nil {
		return err
	}
	t.last, t.base = sum, t.head.Root
	t.head = t.b.complete(delta.Head)
	t.books.take(next, delta)
	if t.journal.size > max(t.b.opts.CompactBytes, 2*t.books.snapshot) {
		t.untidy = t.compact(ctx, false) // Close reports it: the commit is recorded
	}
	return nil
}

// isRepeated tells whether the delta is the one that was committed last.
func (t *tx) isRepeated(delta *state.Delta) (bool, error) {
	if t.last.IsZero() || delta.Head.Serial != t.head.Serial {
		return false, nil
	}
	_, sum, err := appendLine(nil, t.base, delta)
	return sum == t.last, err
}

// isRecorded makes sure that the line which was added counts. If the lease was
// lost before, nobody reads it; unless the next holder came late enough to find
// it, before it replaced the journal.
func (t *tx) isRecorded(ctx context.Context, head *state.Head) error {
	if err := t.lease.check(); !errors.Is(err, tusync.ErrLeaseLost) {
		if !t.journal.isThere() {
			return &CorruptError{File: t.journal.path, Err: errors.New("it was taken away while it was written")}
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	for t.journal.isThere() {
		timer := time.NewTimer(5 * time.Millisecond)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return tusync.ErrLeaseLost
		}
	}
	now, err := t.b.readHead()
	if err != nil || now.Token != t.b.complete(*head).Token {
		return tusync.ErrLeaseLost
	}
	return nil
}

// verify returns the parts of the State after the delta, if it is the next one.
func (t *tx) verify(ctx context.Context, delta *state.Delta) (parts, error) {
	if delta.Head.Serial != t.head.Serial+1 {
		return nil, &tusync.StaleError{
			PlannedSerial: delta.Head.Serial - 1, Serial: t.head.Serial,
			Moved: []string{fmt.Sprintf("the next serial is %d", t.head.Serial+1)},
		}
	}
	if err := checkDelta(delta, t.b.scope); err != nil {
		return nil, err
	}
	if err := t.load(ctx); err != nil {
		return nil, err
	}
	next, err := t.books.parts.with(delta, t.books.spare)
	if err != nil {
		return nil, err
	}
	t.books.spare = next
	return next, next.fits(&delta.Head)
}

// load reads the books. The head is theirs: while a former holder may still
// write, this is the moment from which on nothing that it adds counts.
func (t *tx) load(ctx context.Context) error {
	if t.books != nil {
		return nil
	}
	v, err := t.b.openView()
	if err != nil {
		return err
	}
	defer v.close()
	books := &books{overlay: v.overlay, parts: make(parts, 0, v.head.Records)}
	if v.snapshot != nil {
		books.snapshot = v.snapshot.size
	}
	for record, err := range v.records() {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		p, err := partOf(&record)
		if err != nil {
			return err
		}
		books.parts = append(books.parts, p)
	}
	if v.head.Serial > 0 {
		if err := books.parts.fits(&v.head); err != nil {
			return &CorruptError{File: t.journal.path, Err: err}
		}
	}
	t.books, t.head = books, v.head
	return nil
}

// take notes a commit.
func (b *books) take(next parts, delta *state.Delta) {
	b.parts, b.spare = next, b.parts
	b.overlay.add(delta)
}

// addDeclared stores the declarations that are not there yet.
func (t *tx) addDeclared(resources []state.Resource) error {
	if len(resources) == 0 {
		return nil
	}
	if _, err := t.b.store.look(); err != nil {
		return err
	}
	var lines []byte
	flush := func(w io.Writer) error {
		_, err := w.Write(lines)
		lines = lines[:0]
		return err
	}
	return t.declared.append(func(w io.Writer) error {
		for i := range resources {
			var err error
			if lines, err = t.b.store.appendNew(lines, &resources[i]); err != nil {
				return err
			}
			if len(lines) > 1<<20 {
				if err := flush(w); err != nil {
					return err
				}
			}
		}
		return flush(w)
	})
}

// Renew prolongs the lease. It may be called at any time.
func (t *tx) Renew(ctx context.Context) (time.Time, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.usable(ctx); err != nil {
		return time.Time{}, err
	}
	return t.lease.renew()
}

// Close gives up the lease. Before, it folds the journal into state.json if that
// is due. An error says what could not be tidied up; what was committed is safe.
func (t *tx) Close(ctx context.Context) error {
	if t.closed {
		return nil
	}
	if ctx.Err() == nil && t.compactionIsDue() && t.lease.check() == nil {
		t.untidy = t.compact(ctx, false)
	}
	if err := t.lease.why(t.untidy); errors.Is(err, tusync.ErrLeaseLost) {
		t.untidy = nil // that is for the next holder to do
	}
	return errors.Join(t.untidy, t.release())
}

// release gives up the lease and leaves the files as they are.
func (t *tx) release() error {
	err := errors.Join(t.journal.close(), t.declared.close())
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	return errors.Join(err, t.lease.release())
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
