package envsyncer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/examples/operatorsync/internal/apps"
	"github.com/trueup-go/trueup/examples/operatorsync/internal/envfile"
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
	// open is what the files lack of the last commit.
	open unwritten
	err  error // why
}

func (t *tx) begin(ctx context.Context) (state.Head, error) {
	if err := t.prepare(); err != nil {
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

// prepare fences off whoever had the lease before, and makes a place to work in.
func (t *tx) prepare() error {
	if err := t.b.makeDir(); err != nil {
		return err
	}
	old, err := filepath.Glob(t.b.own(workPrefix + "*"))
	if err != nil {
		return err
	}
	for _, dir := range old {
		t.b.step("remove " + dir)
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	t.work, err = os.MkdirTemp(t.b.own(""), workPrefix)
	return err
}

// recover brings what a crash has left unwritten into the files.
func (t *tx) recover(ctx context.Context) (err error) {
	head, err := t.b.Sidecar.Head(ctx)
	if err != nil {
		return err
	}
	if t.open, err = t.b.readUnwritten(&head); err != nil {
		return err
	}
	return t.settle()
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
	if err := t.settle(); err != nil {
		return state.Head{}, err
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
		return state.Head{}, err // the note doesn't count: no head will be the one that it names
	}
	t.b.step("committed")
	for domain, version := range targets {
		t.versions[domain] = version
	}
	t.open = u
	t.err = t.settle() // Close reports it: the commit counts, and readers know of the note
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
			if err := t.b.canRecord(r.Name, declared[p.Checksum]); err != nil {
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

// lines returns what is to be written. A file that says something else than what was
// recorded was edited meanwhile.
func (t *tx) lines(targets map[string]string) (map[string]line, error) {
	lines := map[string]line{}
	for domain, to := range targets {
		f, err := t.b.load(domain)
		if errors.Is(err, fs.ErrNotExist) {
			continue // the sidecar alone has it
		}
		if err != nil {
			return nil, err
		}
		switch now := f.Version(); now {
		case to:
		case t.versions[domain]:
			if _, err := f.With(to); err != nil {
				return nil, fmt.Errorf("%s: %w", t.b.file(domain), err)
			}
			lines[domain] = line{From: now, To: to}
		default:
			return nil, fmt.Errorf("%s was changed meanwhile: it says %q and said %q; %q is not recorded",
				t.b.file(domain), now, t.versions[domain], to)
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
func (t *tx) settle() error {
	for domain, l := range t.open.Lines {
		if err := t.write(domain, l); err != nil {
			return err
		}
	}
	t.open = unwritten{}
	note := t.b.own(unwrittenFile)
	if _, err := os.Lstat(note); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	t.b.step("take away " + note)
	hidden := filepath.Join(t.work, "old-"+unwrittenFile)
	if err := os.Rename(note, hidden); err != nil {
		return err
	}
	return os.Remove(hidden)
}

// write brings a version into a file, unless somebody has brought another one there.
func (t *tx) write(domain string, l line) error {
	f, err := t.b.load(domain)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || f.Version() != l.From {
		return err
	}
	text, err := f.With(l.To)
	if err != nil {
		return err
	}
	path, err := filepath.EvalSymlinks(t.b.file(domain)) // the link stays
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return t.put(path, text, info.Mode().Perm())
}

// put replaces a file, as a whole or not at all.
func (t *tx) put(path string, text []byte, mode fs.FileMode) error {
	dir := t.work
	if !strings.HasPrefix(path, t.b.dir+string(filepath.Separator)) {
		dir = filepath.Dir(path) // a link led elsewhere, maybe to another disk
	}
	t.b.step("write " + path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // it is gone if all went well
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	keepOwner(f.Name(), path)
	t.b.step("rename to " + path)
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	t.b.step("renamed to " + path)
	return syncDir(filepath.Dir(path))
}

// lost returns ErrLeaseLost in place of an error that comes from having lost it: the
// next holder takes the work directory away, and changes files.
func (t *tx) lost(err error) error {
	if err == nil {
		return nil
	}
	if _, gone := os.Lstat(t.work); errors.Is(gone, fs.ErrNotExist) {
		return sync.ErrLeaseLost
	}
	return err
}

// Close gives up the lease.
func (t *tx) Close(ctx context.Context) error {
	err := t.err
	if t.work != "" {
		err = errors.Join(err, os.RemoveAll(t.work))
	}
	return errors.Join(err, t.Tx.Close(ctx))
}

// load reads an app's file.
func (b *Backend) load(domain string) (*envfile.File, error) {
	path := b.file(domain)
	if path == "" {
		return nil, fs.ErrNotExist
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f, err := envfile.Parse(bytes.Clone(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// canRecord returns an error if a version can't be recorded in an app's file.
func (b *Backend) canRecord(domain, version string) error {
	f, err := b.load(domain)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := f.With(version); err != nil {
		return fmt.Errorf("%s: %w", b.file(domain), err)
	}
	info, err := os.Stat(b.file(domain))
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o200 == 0 {
		return fmt.Errorf("%s is read-only, so that no version can be recorded in it: chmod u+w it", b.file(domain))
	}
	return nil
}

// syncDir brings the names in a directory to the disk.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
