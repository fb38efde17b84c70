package envsyncer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/examples/operatorsync/internal/apps"
	"github.com/trueup-go/trueup/examples/operatorsync/internal/envfile"
	"github.com/trueup-go/trueup/state"
)

// view is the State as the files have it: the sidecar's, but for the versions, which
// are those in the files.
type view struct {
	head    state.Head
	records []state.Record
	news    map[state.Checksum]state.Resource // what the sidecar doesn't have
	edits   []Edit
	delta   state.Delta // what the sidecar lacks, if there are edits
	// versions are the recorded ones, by domain.
	versions map[string]string
}

// read reads the files and the sidecar, as of one serial.
func (b *Backend) read(ctx context.Context) (*view, error) {
	const tries = 1000 // each of which another commit came in between
	for range tries {
		v, again, err := b.tryRead(ctx)
		if err != nil || !again {
			return v, err
		}
	}
	return nil, fmt.Errorf("%s: others write all the time", b.dir)
}

// tryRead tells whether a commit came in between. It reads in an order in which every
// commit that has changed a file is found, by the head or by what is unwritten.
func (b *Backend) tryRead(ctx context.Context) (v *view, again bool, err error) {
	head, err := b.Sidecar.Head(ctx)
	if err != nil {
		return nil, false, err
	}
	u, err := b.readUnwritten(&head)
	if err != nil {
		return nil, false, err
	}
	files, err := b.readFiles()
	if err != nil {
		return nil, false, err
	}
	var records []state.Record
	for r, err := range b.Sidecar.Records(ctx) {
		if err != nil {
			return nil, false, err
		}
		records = append(records, r)
	}
	after, err := b.Sidecar.Head(ctx)
	if err != nil || after.Token != head.Token {
		return nil, err == nil, err
	}
	for domain, f := range files {
		if line, ok := u.Lines[domain]; ok && f.version == line.From {
			f.version = line.To
		}
	}
	v, err = b.merge(ctx, head, records, files)
	return v, false, err
}

// recording is what a file says.
type recording struct {
	file    *envfile.File
	version string
}

// readFiles reads every .env file that can be read, and that an app may have. For the
// apps of others the sidecar speaks.
func (b *Backend) readFiles() (map[string]*recording, error) {
	entries, err := os.ReadDir(b.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	files := map[string]*recording{}
	for _, e := range entries {
		domain, ok := strings.CutSuffix(e.Name(), suffix)
		if !ok || apps.Key(domain).Validate() != nil {
			continue
		}
		if f, err := b.load(domain); err == nil {
			files[domain] = &recording{file: f, version: f.Version()}
		}
	}
	return files, nil
}

// merge puts the versions of the files in the place of the sidecar's.
func (b *Backend) merge(ctx context.Context, head state.Head, records []state.Record, files map[string]*recording) (*view, error) {
	versions, err := b.versionsOf(ctx, records)
	if err != nil {
		return nil, err
	}
	v := &view{news: map[state.Checksum]state.Resource{}, versions: versions}
	for _, r := range records {
		f := files[r.Name]
		if r.Kind != apps.Kind || f == nil || f.version == versions[r.Name] {
			v.records = append(v.records, r)
		} else if err := v.edit(r, f, versions[r.Name]); err != nil {
			return nil, err
		}
		if r.Kind == apps.Kind {
			delete(files, r.Name)
		}
	}
	for _, domain := range slices.Sorted(maps.Keys(files)) {
		if f := files[domain]; f.version != "" {
			if err := v.edit(state.Record{Key: apps.Key(domain), ID: apps.Stack(domain)}, f, ""); err != nil {
				return nil, err
			}
		}
	}
	if v.head = withToken(head); len(v.edits) > 0 {
		err = v.seal(head)
	}
	return v, err
}

// edit takes over the version that a file has.
func (v *view) edit(r state.Record, f *recording, from string) error {
	v.edits = append(v.edits, Edit{Domain: r.Name, From: from, To: f.version})
	if v.versions[r.Name] = f.version; f.version == "" {
		delete(v.versions, r.Name)
		v.delta.Dropped = append(v.delta.Dropped, r.Key)
		return nil
	}
	resource, err := apps.Define(nil).Resource(apps.Kind, r.Name, apps.App{
		Recipe: f.file.Recipe(), Version: f.version, Environment: f.file.Digest(),
	})
	if err != nil {
		return err
	}
	if r.Checksum, err = resource.Checksum(); err != nil {
		return err
	}
	r.Type, r.After = resource.Type, resource.Edges()
	r.ConfigID = state.DeriveID("config", r.ID, r.Checksum.String())
	v.news[r.Checksum] = resource
	v.records = append(v.records, r)
	v.delta.Records = append(v.delta.Records, r)
	v.delta.Declared = append(v.delta.Declared, resource)
	return nil
}

// seal makes the view that of the commit to come.
func (v *view) seal(head state.Head) error {
	for i := range v.edits {
		v.edits[i].Rebuilt = head.Serial == 0
	}
	head.Version, head.Token = state.DefaultStateVersion, ""
	head.Serial++
	slices.SortFunc(v.records, func(a, b state.Record) int { return a.Compare(b.Key) })
	slices.SortFunc(v.delta.Records, func(a, b state.Record) int { return a.Compare(b.Key) })
	slices.SortFunc(v.delta.Declared, func(a, b state.Resource) int { return a.Compare(b.Key) })
	sealed, err := state.Seal(head, v.records)
	v.head, v.delta.Head = withToken(sealed), sealed
	return err
}

// versionsOf returns the recorded versions of the apps among the records, by domain.
func (b *Backend) versionsOf(ctx context.Context, records []state.Record) (map[string]string, error) {
	var sums []state.Checksum
	for i := range records {
		if r := &records[i]; r.Kind == apps.Kind && !r.Checksum.IsZero() {
			sums = append(sums, r.Checksum)
		}
	}
	declared, err := b.Sidecar.Declared(ctx, sums)
	if err != nil {
		return nil, err
	}
	versions := map[string]string{}
	for i := range records {
		resource, ok := declared[records[i].Checksum]
		if !ok || records[i].Kind != apps.Kind {
			continue
		}
		app, err := apps.Of(resource.Config)
		if err != nil {
			return nil, fmt.Errorf("what is declared of %s: %w", records[i].Key, err)
		}
		versions[records[i].Name] = app.Version
	}
	return versions, nil
}
