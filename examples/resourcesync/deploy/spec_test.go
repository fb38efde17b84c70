package deploy

import (
	"encoding/json"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/internal/docker"
	"github.com/trueup-go/trueup/examples/resourcesync/internal/format"
	"github.com/trueup-go/trueup/examples/resourcesync/kinds"
	"github.com/trueup-go/trueup/sync/manifest"
)

// declared loads the config of a resource.
func config[T any](t *testing.T, kind, text string) *T {
	t.Helper()
	fsys := fstest.MapFS{"a.toml": {Data: []byte("[[" + kind + "]]\nname = \"x\"\n" + text)}}
	desired, err := manifest.Load(fsys, kinds.Set(New(nil).Kinds()), kinds.Options())
	require.NoError(t, err, text)
	c, err := kinds.Decode[T](json.RawMessage(desired.Resources[0].Config))
	require.NoError(t, err)
	return &c
}

func TestContainerSpec(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want docker.ContainerSpec
		err  string
	}{
		"as little as there can be": {
			text: `config.image = {type = "Image", params = {image = "redis:7"}}`,
			want: docker.ContainerSpec{
				Name: "x", Image: "redis:7", Pull: docker.PullNewer, Network: "host", Restart: "no",
				StopSignal: "SIGTERM", StopTimeout: 10 * time.Second,
			},
		},
		"all": {
			text: `
state = "stopped"
[deployment.config]
custom_name = "my app"
image = {type = "Image", params = {image = "redis@sha256:1234"}}
network = "bridge"
restart = "on-failure"
command = "redis-server --save '60 1' \"a b\" c\\ d"
termination_signal = "SIGINT"
termination_timeout = 90
extra_args = ["--cap-add NET_ADMIN", "--add-host=a:b"]
term_signal_labels = "SIGTERM: default"
ports = "127.0.0.1:8080:80, # web"
volumes = """
- "/data/config:/etc/config:ro"
"""
environment = """
A=1
B = "x # y"
C = '"z"'
D = "say \"hi\""
E = "not closed
F = it's
"""
labels = "team = 'ops'"
`,
			want: docker.ContainerSpec{
				Name: "my_app", Image: "redis@sha256:1234", Network: "bridge", Restart: "on-failure:10",
				Command: []string{"redis-server", "--save", "60 1", "a b", "c d"}, StopSignal: "SIGINT", StopTimeout: 90 * time.Second,
				ExtraArgs: []string{"--cap-add", "NET_ADMIN", "--add-host=a:b"}, Ports: []string{"127.0.0.1:8080:80,"},
				Volumes: []string{"/data/config:/etc/config:ro"}, Labels: map[string]string{"team": "ops"}, Stopped: true,
				Environment: []string{"A=1", "B=x # y", `C="z"`, `D=say "hi"`, `E="not closed`, "F=it's"},
			},
		},
		"no image":           {err: "it names no image"},
		"replicas":           {text: "config.replicas = 2", err: "replicas is 2: on a server a deployment is one container"},
		"an open quote":      {text: `config.command = "echo 'x"`, err: "command: a ' is not closed"},
		"one among the args": {text: `config.extra_args = ["-t", "--label \"x"]`, err: `extra_args[1]: a " is not closed`},
		"no name":            {text: `config.custom_name = "--"`, err: `a container can't be called "--"`},
	} {
		spec, err := containerSpec("x", config[kinds.Deployment](t, "deployment", c.text))
		if c.err != "" {
			require.ErrorContains(t, err, c.err, name)
			continue
		}
		require.NoError(t, err, name)
		if c.want.Labels == nil {
			c.want.Labels = map[string]string{}
		}
		require.Empty(t, cmp.Diff(&c.want, spec), name)
	}
}

func TestStackSpec(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want docker.StackSpec
	}{
		"as little as there can be": {want: docker.StackSpec{Project: "x", EnvFile: ".env", Pull: docker.PullAlways}},
		"all": {
			text: `
state = "stopped"
[stack.config]
project_name = "My Stack"
auto_pull = false
run_build = true
file_paths = "mongo.yaml, redis.yaml"
env_file_path = "sub/.env"
additional_env_files = ["a.env", {path = "b.env", track = false}]
ignore_services = ["init"]
extra_args = ["--force-recreate", "--timeout 5"]
build_extra_args = "--no-cache"
environment = "A = \"1\""
`,
			want: docker.StackSpec{
				Project: "my_stack", Files: []string{"mongo.yaml", "redis.yaml"}, Environment: []string{"A=1"}, EnvFile: "sub/.env",
				EnvFiles: []string{"a.env", "b.env"}, Ignore: []string{"init"}, ExtraArgs: []string{"--force-recreate", "--timeout", "5"},
				Build: true, BuildArgs: []string{"--no-cache"}, Stopped: true,
			},
		},
	} {
		spec, err := stackSpec("x", config[kinds.Stack](t, "stack", c.text))
		require.NoError(t, err, name)
		require.Empty(t, cmp.Diff(&c.want, spec), name)
	}
}

func TestBuildSpec(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want docker.BuildSpec
	}{
		"as little as there can be": {
			want: docker.BuildSpec{
				Dockerfile: "Dockerfile", Args: []string{"VERSION=1.2.3"},
				Labels: map[string]string{labelVersion: "1.2.3", labelCommit: "abcdef0"},
				Tags:   []string{"x:1.2.3", "x:1.2", "x:1", "x:abcdef0", "x:latest"},
			},
		},
		"all": {
			text: `
[build.config]
image_name = "App"
image_tag = "slim"
include_version_tags = false
include_commit_tag = false
image_registry = [{domain = "ghcr.io", account = "me", organization = "acme"}, {domain = "docker.io", account = "me"}]
dockerfile_path = "sub/Dockerfile"
extra_args = ["--platform linux/arm64"]
build_args = "VERSION = mine"
secret_args = "TOKEN = 'x y'"
labels = "a: \"b\""
`,
			want: docker.BuildSpec{
				Dockerfile: "sub/Dockerfile", Args: []string{"VERSION=mine"}, Secrets: []string{"TOKEN=x y"},
				Labels:    map[string]string{"a": "b", labelVersion: "1.2.3", labelCommit: "abcdef0"},
				ExtraArgs: []string{"--platform", "linux/arm64"},
				Tags:      []string{"ghcr.io/acme/App:latest-slim", "ghcr.io/acme/App:slim", "docker.io/me/App:latest-slim", "docker.io/me/App:slim"},
			},
		},
		"a registry without an account is none": {
			text: "config.image_registry = {domain = \"ghcr.io\"}\nconfig.include_version_tags = false\nconfig.include_commit_tag = false",
			want: docker.BuildSpec{
				Dockerfile: "Dockerfile", Args: []string{"VERSION=1.2.3"}, Tags: []string{"x:latest"},
				Labels: map[string]string{labelVersion: "1.2.3", labelCommit: "abcdef0"},
			},
		},
	} {
		spec, err := buildSpec("x", config[kinds.Build](t, "build", c.text), format.Version{Major: 1, Minor: 2, Patch: 3}, "abcdef0")
		require.NoError(t, err, name)
		require.Empty(t, cmp.Diff(&c.want, spec), name)
	}
	_, err := buildSpec("x", config[kinds.Build](t, "build", "[build.config]\ninclude_version_tags = false\ninclude_commit_tag = false\ninclude_latest_tag = false"), format.Version{}, "")
	require.ErrorContains(t, err, "it gives its image no tag")
}

// The images tell the next version: one that is declared counts when it is later.
func TestNextVersion(t *testing.T) {
	t.Parallel()
	var images []docker.Image
	for _, v := range []string{"1.2.9", "1.2.10", "", "x"} {
		images = append(images, docker.Image{Labels: map[string]string{labelVersion: v}})
	}
	for _, c := range []struct {
		text   string
		images []docker.Image
		want   string
	}{
		{"", nil, "0.0.1"},
		{"", images, "1.2.11"},
		{`config.version = "1.2"`, images, "1.2.11"},
		{`config.version = "2.0"`, images, "2.0.1"},
		{"config.version = \"2.0\"\nconfig.auto_increment_version = false", images, "2.0.0"},
	} {
		require.Equal(t, c.want, nextVersion(config[kinds.Build](t, "build", c.text), c.images).String(), c.text)
	}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	image := func(id, version string, latest bool, tags ...string) docker.Image {
		return docker.Image{ID: id, Labels: map[string]string{labelVersion: version}, Latest: latest, Tags: tags}
	}
	images := []docker.Image{
		image("old", "1.0.0", false), image("new", "1.0.0", false, "x:1.0.0"), image("older", "1.0.0", false),
		image("last", "1.1.0", true), image("lost", "1.1.0", false, "x:1.1.0"),
	}
	for version, want := range map[string]string{"": "last", "1.0.0": "new", "1.1.0": "last"} {
		v, err := format.ParseVersion(version)
		require.NoError(t, err)
		found, err := choose(images, v)
		require.NoError(t, err)
		require.Equal(t, want, found.ID, version)
	}
	_, err := choose(images, format.Version{Major: 2})
	require.EqualError(t, err, "has no image of version 2.0.0: there is 1.0.0, 1.1.0")
	_, err = choose(nil, format.Version{Major: 2})
	require.ErrorContains(t, err, "was never built")
}

func TestCloneURL(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`config = {repo = "a/b"}`: "https://github.com/a/b.git",
		`config = {repo = "a/b.git", git_provider = "git.example:3000", git_account = "me"}`:        "https://me@git.example:3000/a/b.git",
		`config = {repo = "a/b", git_https = false}`:                                                "http://github.com/a/b.git",
		`config = {repo = "/srv/git/x"}`:                                                            "/srv/git/x",
		`config = {repo = "file:///srv/git/x"}`:                                                     "file:///srv/git/x",
		`config = {repo = "ssh://git@example/x", git_account = "me", git_provider = "git.example"}`: "ssh://git@example/x",
	} {
		at, err := cloneURL(&config[kinds.Repo](t, "repo", text).Git)
		require.NoError(t, err)
		require.Equal(t, want, at)
	}
	_, err := cloneURL(&kinds.Git{Repo: "a/b"})
	require.ErrorContains(t, err, `repo "a/b": it has no git_provider`)
}

func TestWords(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][]string{
		"":                       nil,
		" a\t b\n":               {"a", "b"},
		`a'b c'"d"`:              {"ab cd"},
		`'' ""`:                  {"", ""},
		`'\' "\n\"\$x" \x`:       {`\`, `\n"$x`, "x"},
		"a \\\n  b":              {"a", "b"},
		`--label "x=$HOME" é\ è`: {"--label", "x=$HOME", "é è"},
		`a\`:                     {`a\`},
	} {
		got, err := words(line)
		require.NoError(t, err, line)
		require.Equal(t, want, got, line)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	require.Equal(t, "My.App_1", containerName("_.My.App 1 "))
	require.Equal(t, "my_app_1", projectName("_.My.App 1 "))
	require.Equal(t, []string{"%2E.", "a%2Fb", "%2Egit", "a.b"}, []string{fileName(".."), fileName("a/b"), fileName(".git"), fileName("a.b")})
}
