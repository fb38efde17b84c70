package docker

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/moby/client"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// BuildSpec is an image as docker build should make it. Context and a tag are
// required.
type BuildSpec struct {
	// Context is the directory on this machine that is sent to the engine.
	Context string
	// Dockerfile is relative to Context. Defaults to "Dockerfile".
	Dockerfile string
	// Inline is the text of a Dockerfile, in place of one.
	Inline string
	// Args are build arguments K=V. They are no place for a secret: whoever has the
	// image can read them.
	Args []string
	// Secrets are entries K=V that RUN --mount=type=secret,id=K reads and the image
	// doesn't keep. They need BuildKit: buildx, a plugin of the docker command.
	Secrets []string
	Labels  map[string]string
	// Tags are the names that the image gets: "shop/web:1.2.0", "shop/web:latest".
	Tags []string
	// ExtraArgs go to docker build, as they are.
	ExtraArgs []string
}

var errNoBuildKit = errors.New("secrets need BuildKit, which the docker command of this machine doesn't use: install docker buildx, and unset DOCKER_BUILDKIT")

// Build builds an image and returns its ID. The names move to it once it is built:
// a build that fails changes none.
func (e *Engine) Build(ctx context.Context, mark Mark, spec *BuildSpec) (id string, err error) {
	id, err = e.build(ctx, &mark, spec)
	return id, Redact(errorf(err, "build image"), spec.Args, spec.Secrets)
}

// build is docker build, and not a request of the Engine API: that could not hand
// out a secret without a BuildKit session, would have to read .dockerignore itself,
// and has no ExtraArgs.
func (e *Engine) build(ctx context.Context, mark *Mark, spec *BuildSpec) (string, error) {
	if err := mark.validate(); err != nil {
		return "", err
	}
	if spec.Context == "" || len(spec.Tags) == 0 {
		return "", errors.New("an image needs a context and a tag")
	}
	dir, err := os.MkdirTemp("", "trueup-build-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(dir) }() // it holds an ID
	result := filepath.Join(dir, "id")
	cmd, err := spec.command(mark, result)
	if err != nil {
		return "", err
	}
	if _, err := e.docker(ctx, cmd); err != nil {
		var failed *CommandError
		if errors.As(err, &failed) && strings.Contains(failed.Output, "unknown flag: --secret") {
			return "", errNoBuildKit
		}
		return "", err
	}
	id, err := os.ReadFile(result)
	return strings.TrimSpace(string(id)), err
}

func (s *BuildSpec) command(mark *Mark, result string) (*command, error) {
	c := &command{log: true, hidden: slices.Concat(s.Args, s.Secrets), args: []string{"build", "--iidfile", result}}
	labels := maps.Clone(s.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	maps.Copy(labels, mark.labels(imageLabelPrefix))
	tags := make([]string, len(s.Tags))
	for i, tag := range s.Tags {
		var err error
		if tags[i], err = familiar(tag); err != nil {
			return nil, err
		}
	}
	labels[imageLabelPrefix+labelTags] = strings.Join(tags, " ")
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		c.args = append(c.args, "--label", name+"="+labels[name])
	}
	for i, arg := range s.Args {
		if name, _, ok := strings.Cut(arg, "="); !ok || name == "" {
			return nil, fmt.Errorf("build argument %d: expected NAME=VALUE", i+1)
		}
		c.args = append(c.args, "--build-arg", arg)
	}
	for i, secret := range s.Secrets {
		name, value, ok := strings.Cut(secret, "=")
		if !ok || !isName(name) {
			return nil, fmt.Errorf("build secret %d: expected NAME=VALUE, with a name of letters, digits, _, . and -", i+1)
		}
		// Through a variable of a name of our own: neither in the argument list nor
		// in a file, and none that means something to the command.
		variable := fmt.Sprintf("TRUEUP_SECRET_%d", i)
		c.env = append(c.env, variable+"="+value)
		c.args = append(c.args, "--secret", "id="+name+",env="+variable)
	}
	for _, tag := range append(tags, mark.latest()) {
		c.args = append(c.args, "--tag", tag)
	}
	switch {
	case s.Inline != "":
		c.stdin = s.Inline
		c.args = append(c.args, "--file", "-")
	case s.Dockerfile != "":
		c.args = append(c.args, "--file", under(s.Context, s.Dockerfile))
	}
	c.args = append(append(c.args, s.ExtraArgs...), s.Context)
	return c, nil
}

// ImageHealth tells of each resource whether it is built, in their order: Healthy
// with the checksum of its latest build, as long as that has all its names, else
// Missing.
func (e *Engine) ImageHealth(ctx context.Context, scope state.Scope, keys []state.Key) []sync.Health {
	result, err := e.api.ImageList(ctx, client.ImageListOptions{Filters: owned(imageLabelPrefix, scope, keys...)})
	return each(keys, e.failed(err), func(key state.Key) sync.Health {
		mark := Mark{Scope: scope, Key: key}
		for _, image := range result.Items {
			if !slices.Contains(image.RepoTags, mark.latest()) {
				continue
			}
			for tag := range strings.FieldsSeq(image.Labels[imageLabelPrefix+labelTags]) {
				if !slices.Contains(image.RepoTags, tag) {
					return sync.Health{Phase: sync.Missing, Message: tag + " is gone, or another image"}
				}
			}
			return sync.Health{Phase: sync.Healthy, Running: running(image.Labels, imageLabelPrefix)}
		}
		return sync.Health{Phase: sync.Missing}
	})
}

// latest is a name for the latest build of a resource. The declared names may be of
// one version each, and when an image was created doesn't tell: it may come from
// the cache.
func (m *Mark) latest() string {
	sum := sha256.Sum256([]byte(m.Scope.String() + "/" + m.Key.String()))
	return fmt.Sprintf("trueup-build/%x:latest", sum[:12])
}

// familiar is a tag as the engine lists it: "shop/web" is "shop/web:latest".
func familiar(tag string) (string, error) {
	named, err := reference.ParseNormalizedNamed(tag)
	if err != nil {
		return "", fmt.Errorf("tag %q: %w", tag, err)
	}
	return reference.FamiliarString(reference.TagNameOnly(named)), nil
}
