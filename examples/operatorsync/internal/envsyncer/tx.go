package envsyncer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/trueup-go/trueup/examples/operatorsync/internal/apps"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// tx is the sidecar's, and writes the files beside it.
type tx struct {
	sync.Tx

	b *Backend
	// work is where files are written before they are renamed into place. The next
	// writer removes it: who lost the lease, and hangs, can't rename any more.
	work string
	// versions are the recorded ones, by domain, as of the last commit.
	versions map[string]string
	err      error // why the files lack something of the last commit
}

func (t *tx) begin(ctx context.Context) (state.Head, error) {
	if err := t.prepare(ctx); err != nil {
		return state.Head{}, err
	}
	if err := t.recover(ctx); err != nil {
		return state.Head{}, err
	}
	v, err := t.b.read(ctx)
	if err != nil {
		return state.Head{}, err
	}
	t.versions = v.versions
	if len(v.edits) == 0 {
		return v.head, nil
	}
	if _, err := t.Tx.Commit(ctx, v.delta); err != nil {
		return state.Head{}, err
	}
	if t.b.opts.Edited != nil {
		t.b.opts.Edited(v.edits)
	}
	return v.head, nil
}

// prepare makes a place to work in, and takes away those of whoever had the lease
// before. It looks for them first and makes sure of the lease second: what it has found
// is of none who came after, and whoever does finds what it has made.
func (t *tx) prepare(ctx context.Context) error {
	dir := t.b.own("")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	t.b.step("prepare")
	old, err := fs.Glob(os.DirFS(dir), workPrefix+"*")
	if err != nil {
		return err
	}
	if t.work, err = os.MkdirTemp(dir, workPrefix); err != nil {
		return err
	}
	if _, err := t.Renew(ctx); err != nil {
		return err
	}
	for _, name := range old {
		t.b.step("remove " + name)
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return t.ignore()
}

// ignore keeps what is ours out of git: who pulls the .env files of others has records
// of his own.
func (t *tx) ignore() error {
	path := t.b.own(ignoreFile)
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return t.put(path, []byte("*\n"), 0o600)
}

// recover brings what a crash or a failure has left unwritten into the files.
func (t *tx) recover(ctx context.Context) error {
	if _, err := os.Lstat(t.b.own(unwrittenFile)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	head, err := t.b.Sidecar.Head(ctx)
	if err != nil {
		return err
	}
	u, err := t.b.readUnwritten(&head)
	if err != nil {
		return err
	}
	return t.settle(&u)
}

// Commit records the delta in the sidecar, and the versions in it in the files.
//
// A note of the versions is written first; the sidecar's commit makes it count; then the
// files get them, and the note goes. Whoever reads in between takes them from the note,
// and so does the next writer after a crash. So all of a commit counts or nothing, and
// no file ever says what the sidecar doesn't know.
func (t *tx) Commit(ctx context.Context, delta state.Delta) (state.Head, error) {
	head, err := t.commit(ctx, delta)
	return head, t.lost(err)
}

func (t *tx) commit(ctx context.Context, delta state.Delta) (state.Head, error) {
	if t.err = t.recover(ctx); t.err != nil {
		return state.Head{}, t.err
	}
	targets, err := t.targets(ctx, &delta)
	if err != nil {
		return state.Head{}, err
	}
	lines, err := t.lines(targets)
	if err != nil {
		return state.Head{}, err
	}
	u := unwritten{Serial: delta.Head.Serial, Root: delta.Head.Root, Lines: lines}
	if len(lines) > 0 {
		if err := t.note(&u); err != nil {
			return state.Head{}, err
		}
	}
	t.b.step("commit")
	head, err := t.Tx.Commit(ctx, delta)
	if err != nil {
		return state.Head{}, err // whether the note counts, the head will tell
	}
	t.b.step("committed")
	for domain, version := range targets {
		t.versions[domain] = version
	}
	if len(lines) > 0 {
		t.err = t.settle(&u) // Close reports it: the commit counts, and readers know of the note
	}
	return withToken(head), nil
}

// targets returns what the versions of apps are to be after a delta, where they change.
// It fails where the file couldn't take what an act is about to bring about: before
// the act.
func (t *tx) targets(ctx context.Context, delta *state.Delta) (map[string]string, error) {
	declared, err := t.declared(ctx, delta)
	if err != nil {
		return nil, err
	}
	targets := map[string]string{}
	for i := range delta.Records {
		r := &delta.Records[i]
		if r.Kind != apps.Kind {
			continue
		}
		if version := declared[r.Checksum]; version != t.versions[r.Name] {
			targets[r.Name] = version
		}
		for _, p := range r.Pending {
			if err := t.canRecord(r.Name, declared[p.Checksum]); err != nil {
				return nil, err
			}
		}
	}
	for _, key := range delta.Dropped {
		if key.Kind == apps.Kind && t.versions[key.Name] != "" {
			targets[key.Name] = ""
		}
	}
	return targets, nil
}

// declared returns the versions that a delta's records and what is pending name, by
// the checksums of the declarations.
func (t *tx) declared(ctx context.Context, delta *state.Delta) (map[state.Checksum]string, error) {
	var sums []state.Checksum
	for i := range delta.Records {
		sums = append(sums, delta.Records[i].Checksum)
		for _, p := range delta.Records[i].Pending {
			sums = append(sums, p.Checksum)
		}
	}
	resources, err := t.b.Sidecar.Declared(ctx, slices.DeleteFunc(sums, state.Checksum.IsZero))
	if err != nil {
		return nil, err
	}
	for i := range delta.Declared {
		sum, err := delta.Declared[i].Checksum()
		if err != nil {
			return nil, &state.DeltaError{Err: err}
		}
		resources[sum] = delta.Declared[i]
	}
	versions := map[state.Checksum]string{}
	for sum, r := range resources {
		if r.Kind != apps.Kind {
			continue
		}
		app, err := apps.Of(r.Config)
		if err != nil {
			return nil, &state.DeltaError{Err: err}
		}
		versions[sum] = app.Version
	}
	return versions, nil
}

// lines returns what is to be written.
func (t *tx) lines(targets map[string]string) (map[string]line, error) {
	lines := map[string]line{}
	for domain, to := range targets {
		f, err := t.fileFor(domain, to)
		if errors.Is(err, fs.ErrNotExist) {
			continue // the sidecar alone has it
		}
		if err != nil {
			return nil, err
		}
		if now := f.Version(); now != to {
			lines[domain] = line{From: now, To: to}
		}
	}
	return lines, nil
}

// note writes down what the files will lack once the commit counts.
func (t *tx) note(u *unwritten) error {
	text, err := json.Marshal(u)
	if err != nil {
		return err
	}
	return t.put(t.b.own(unwrittenFile), text, 0o600)
}

// settle brings what is unwritten into the files, and takes the note away: by way of
// the work directory, as somebody who lost the lease must not take the next one's.
func (t *tx) settle(u *unwritten) error {
	for _, domain := range slices.Sorted(maps.Keys(u.Lines)) {
		if err := t.write(domain, u.Lines[domain]); err != nil {
			return fmt.Errorf("%q is recorded, but not yet in %s: %w", u.Lines[domain].To, t.b.file(domain), err)
		}
	}
	note, hidden := t.b.own(unwrittenFile), filepath.Join(t.work, "old-"+unwrittenFile)
	t.b.step("take away " + note)
	if err := os.Rename(note, hidden); err != nil {
		return err
	}
	return os.Remove(hidden)
}

// lost returns ErrLeaseLost in place of an error that comes from having lost it: the
// next holder takes the work directory away, and changes files.
func (t *tx) lost(err error) error {
	if err == nil || t.work == "" {
		return err
	}
	if _, gone := os.Lstat(t.work); errors.Is(gone, fs.ErrNotExist) {
		return sync.ErrLeaseLost
	}
	return err
}

// Close gives up the lease. What could not be written is tried once more.
func (t *tx) Close(ctx context.Context) error {
	if t.err != nil && t.recover(ctx) == nil {
		t.err = nil
	}
	err := t.lost(t.err)
	if errors.Is(err, sync.ErrLeaseLost) {
		err = nil // that is for the next holder to do
	}
	if t.work != "" {
		err = errors.Join(err, os.RemoveAll(t.work))
	}
	return errors.Join(err, t.Tx.Close(ctx))
}
