package deploy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/examples/internal/docker"
	"github.com/trueup-go/trueup/examples/resourcesync/internal/format"
	"github.com/trueup-go/trueup/examples/resourcesync/kinds"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// builds is the Deployer of builds: one that is declared with deploy = true is built
// by the sync, when it changes and when its repository does. It is a sync.Preparer:
// what else goes into an image is a commit, or the files of a directory.
type builds struct{ d *Deployer }

// Deploy implements sync.Deployer.
func (k builds) Deploy(ctx context.Context, deploy *diff.Deploy) error {
	known := k.d.known()
	return known.redact(k.d.build(ctx, known, deploy))
}

// Health implements sync.Deployer.
func (k builds) Health(ctx context.Context, records []state.Record) []sync.Health {
	on := func(known *declared, n names) (*docker.Engine, error) { return k.d.builder(known, n.Builder) }
	return k.d.health(ctx, records, on, (*docker.Engine).ImageHealth)
}

// Prepare implements sync.Preparer.
func (k builds) Prepare(ctx context.Context, deploys []*diff.Deploy) []sync.Prepared {
	return k.d.prepare(ctx, deploys, k.d.prepareBuild)
}

// A building is a build that is about to be.
type building struct {
	engine *docker.Engine
	config kinds.Build
	dir    string      // where its files are
	repo   *repository // nil: no repository
}

// building looks a build up. Its texts are as declared.
func (d *Deployer) building(known *declared, deploy *diff.Deploy) (*building, error) {
	b := &building{}
	var err error
	if b.config, err = kinds.Decode[kinds.Build](deploy.Config); err != nil {
		return nil, err
	}
	n, err := namesOf(deploy.Desired)
	if err != nil {
		return nil, err
	}
	if b.engine, err = d.builder(known, n.Builder); err != nil {
		return nil, err
	}
	if b.config.FilesOnHost {
		if b.dir = b.config.BuildPath; !filepath.IsAbs(b.dir) {
			return nil, fmt.Errorf("build_path %q: with files_on_host, expected a path from /", b.dir)
		}
		return b, nil
	}
	if b.repo, err = d.repository(known, n.LinkedRepo, b.config.Git); err != nil {
		return nil, err
	}
	if b.repo == nil && b.config.Dockerfile == "" {
		return nil, errors.New("it has no files: give it a repo, a linked_repo, files_on_host with a build_path, or a dockerfile")
	}
	b.dir, err = d.files(known, deploy.Key(), b.repo)
	return b, err
}

func (d *Deployer) prepareBuild(ctx context.Context, known *declared, deploy *diff.Deploy) (state.Checksum, error) {
	b, err := d.building(known, deploy)
	if err != nil {
		return state.Checksum{}, err
	}
	f := &filler{known: known, key: deploy.Key(), version: "0.0.0"}
	if err := f.build(&b.config); err != nil {
		return state.Checksum{}, err
	}
	switch {
	case b.config.FilesOnHost:
		return sumOfTree(b.dir)
	case b.repo == nil:
		return state.Checksum{}, nil
	}
	unlock, err := d.lock(ctx, known, deploy.Key())
	if err != nil {
		return state.Checksum{}, err
	}
	defer unlock()
	from, err := b.repo.look(ctx, b.dir)
	if err != nil {
		return state.Checksum{}, err
	}
	d.prepared(deploy.Key(), from.commit)
	return state.Sum([]byte(from.commit)), nil
}

func (d *Deployer) build(ctx context.Context, known *declared, deploy *diff.Deploy) error {
	b, err := d.building(known, deploy)
	if err != nil {
		return err
	}
	unlock, err := d.lock(ctx, known, deploy.Key())
	if err != nil {
		return err
	}
	defer unlock()
	images, err := b.engine.Images(ctx, known.scope, deploy.Key())
	if err != nil {
		return err
	}
	version := nextVersion(&b.config, images)
	f := &filler{known: known, key: deploy.Key(), version: version.String()}
	if err := f.build(&b.config); err != nil {
		return err
	}
	place, commit, err := d.buildContext(ctx, b, deploy.Key())
	if err != nil {
		return err
	}
	if err := command(&b.config.PreBuild).Run(ctx, place); err != nil {
		return fmt.Errorf("pre_build: %w", err)
	}
	spec, err := buildSpec(deploy.Desired.Name, &b.config, version, commit)
	if err != nil {
		return err
	}
	spec.Context = place
	if b.repo == nil && !b.config.FilesOnHost {
		spec.Inline = b.config.Dockerfile
	}
	if _, err := b.engine.Build(ctx, mark(known, deploy), spec); err != nil {
		return err
	}
	if !isPushed(&b.config) {
		return nil
	}
	for _, tag := range spec.Tags {
		if err := b.engine.Push(ctx, tag); err != nil {
			return fmt.Errorf("it is built, and can't be pushed: %w", err)
		}
	}
	return nil
}

// buildContext has the files of a build in place, and returns where, and the commit
// that they are of, if they are.
func (d *Deployer) buildContext(ctx context.Context, b *building, key state.Key) (dir, commit string, err error) {
	switch {
	case b.config.FilesOnHost:
		return b.dir, "", nil
	case b.repo == nil:
		// Where there are no files but the one that is given as text.
		return b.dir, "", emptyDir(b.dir)
	}
	from, err := b.repo.use(ctx, b.dir, d.commit(key))
	if err != nil {
		return "", "", err
	}
	dir, err = inside(b.dir, "build_path", b.config.BuildPath)
	return dir, from.commit[:7], err
}

// buildSpec maps a build whose texts are filled in. Where its files are is still
// missing.
func buildSpec(name string, c *kinds.Build, version format.Version, commit string) (*docker.BuildSpec, error) {
	extra, err := arguments("extra_args", c.ExtraArgs)
	if err != nil {
		return nil, err
	}
	spec := &docker.BuildSpec{
		Dockerfile: c.DockerfilePath,
		Args:       entries(c.BuildArgs),
		Secrets:    entries(c.SecretArgs),
		Labels:     labels(c.Labels),
		ExtraArgs:  extra,
	}
	if !slices.ContainsFunc(c.BuildArgs, func(p format.Pair) bool { return p.Key == "VERSION" }) {
		spec.Args = append(spec.Args, "VERSION="+version.String())
	}
	maps.Copy(spec.Labels, map[string]string{labelVersion: version.String()})
	if commit != "" {
		spec.Labels[labelCommit] = commit
	}
	tags := imageTags(c, version, commit)
	if len(tags) == 0 {
		return nil, errors.New("it gives its image no tag: include one, or name an image_tag")
	}
	for _, image := range imageNames(name, c) {
		for _, tag := range tags {
			spec.Tags = append(spec.Tags, image+":"+tag)
		}
	}
	return spec, nil
}
