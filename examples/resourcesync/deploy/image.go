package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/examples/internal/docker"
	"github.com/trueup-go/trueup/examples/resourcesync/internal/format"
	"github.com/trueup-go/trueup/examples/resourcesync/kinds"
	"github.com/trueup-go/trueup/state"
)

// What an image says of itself: which version of its build it is, and of which
// commit. So nothing else has to be kept to know the next version.
const (
	labelVersion = "io.github.trueup-go.image.version"
	labelCommit  = "io.github.trueup-go.image.commit"
)

// imageNames are the names of a build's image, without tags: one for each registry.
// The first is what is deployed.
func imageNames(name string, b *kinds.Build) []string {
	if b.ImageName != "" {
		name = b.ImageName
	} else {
		name = projectName(name)
	}
	var all []string
	for _, r := range b.ImageRegistry {
		full := name
		switch {
		case r.Domain == "" || r.Account == "":
		case r.Organization != "":
			full = r.Domain + "/" + r.Organization + "/" + name
		default:
			full = r.Domain + "/" + r.Account + "/" + name
		}
		if !slices.Contains(all, full) {
			all = append(all, full)
		}
	}
	if len(all) == 0 {
		all = []string{name}
	}
	return all
}

// isPushed tells whether a registry gets the image, and others can pull it there.
func isPushed(b *kinds.Build) bool {
	return slices.ContainsFunc(b.ImageRegistry, func(r kinds.Registry) bool { return r.Domain != "" && r.Account != "" })
}

// imageTags are the tags of an image, those that say most of it first. Commit may be
// empty.
func imageTags(b *kinds.Build, version format.Version, commit string) []string {
	postfix := ""
	if b.ImageTag != "" {
		postfix = "-" + b.ImageTag
	}
	var tags []string
	if b.IncludeVersionTags {
		tags = append(tags,
			version.String()+postfix,
			fmt.Sprintf("%d.%d%s", version.Major, version.Minor, postfix),
			fmt.Sprintf("%d%s", version.Major, postfix))
	}
	if b.IncludeCommitTag && commit != "" {
		tags = append(tags, commit+postfix)
	}
	if b.IncludeLatestTag {
		tags = append(tags, "latest"+postfix)
	}
	if b.ImageTag != "" {
		tags = append(tags, b.ImageTag)
	}
	return tags
}

// nextVersion is the version of the next build: if it goes up by itself, the one
// after the latest of the images and what is declared.
func nextVersion(b *kinds.Build, images []docker.Image) format.Version {
	if !b.AutoIncrementVersion {
		return b.Version
	}
	last := b.Version
	for _, image := range images {
		if v, err := format.ParseVersion(image.Labels[labelVersion]); err == nil && compare(v, last) > 0 {
			last = v
		}
	}
	last.Patch++
	return last
}

func compare(a, b format.Version) int {
	return slices.Compare([]int{a.Major, a.Minor, a.Patch}, []int{b.Major, b.Minor, b.Patch})
}

// built is an image that a build made.
type built struct {
	engine   *docker.Engine
	id, name string
	registry bool // others can pull it
}

// built returns the image of a build: of a version, or the latest.
func (d *Deployer) built(ctx context.Context, known *declared, name string, version format.Version) (*built, error) {
	b, err := get[kinds.Build](known, kinds.KindBuild, name)
	if err != nil {
		return nil, err
	}
	engine, err := d.builder(known, b.BuilderID)
	if err != nil {
		return nil, fmt.Errorf("build/%s: %w", name, err)
	}
	images, err := engine.Images(ctx, known.scope, state.Key{Kind: kinds.KindBuild, Name: name})
	if err != nil {
		return nil, err
	}
	image, err := choose(images, version)
	if err != nil {
		return nil, fmt.Errorf("build/%s %w", name, err)
	}
	of, err := format.ParseVersion(image.Labels[labelVersion])
	if err != nil {
		return nil, fmt.Errorf("build/%s: its image %s says no version: %w", name, image.ID, err)
	}
	tags := imageTags(&b, of, image.Labels[labelCommit])
	if len(tags) == 0 {
		return nil, fmt.Errorf("build/%s gives its image no tag", name)
	}
	return &built{engine, image.ID, imageNames(name, &b)[0] + ":" + tags[0], isPushed(&b)}, nil
}

// choose returns the image of a version, or the latest. Where several were built with
// the same version it is the latest, too, else one that still has a name.
func choose(images []docker.Image, version format.Version) (*docker.Image, error) {
	var found *docker.Image
	var versions []string
	for i := range images {
		image := &images[i]
		of := image.Labels[labelVersion]
		if !slices.Contains(versions, of) {
			versions = append(versions, of)
		}
		matches := of == version.String() || version.IsLatest() && image.Latest
		if matches && (found == nil || rank(image) > rank(found)) {
			found = image
		}
	}
	switch {
	case found != nil:
		return found, nil
	case version.IsLatest() || len(versions) == 0:
		return nil, errors.New("was never built: give it deploy = true, or run it in a procedure")
	}
	slices.Sort(versions)
	return nil, fmt.Errorf("has no image of version %s: there is %s", version, strings.Join(versions, ", "))
}

func rank(image *docker.Image) int {
	switch {
	case image.Latest:
		return 2
	case len(image.Tags) > 0:
		return 1
	}
	return 0
}
