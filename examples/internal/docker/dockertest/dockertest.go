// Package dockertest gives tests a real container engine: where it is, images to
// run on it that need no registry, and a scope of a test's own, of which nothing is
// left when the test ends.
package dockertest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/moby/client"

	"github.com/trueup-go/trueup/state"
)

// Address is the engine that tests use: that of TRUEUP_TEST_DOCKER, else the local
// one.
func Address() string {
	if address := os.Getenv("TRUEUP_TEST_DOCKER"); address != "" {
		return address
	}
	return client.DefaultDockerHost
}

// Image is the image of command app, with "app" as its entry point and "serve" as
// its command; Checked is the same with its health check.
func Image() string { return image("app") }

// Checked is Image with a health check, which is starting until the test says
// what it is: exec "/app healthy" or "/app unhealthy" in the container.
func Checked() string { return image("checked") }

// image names an image of this process: others may test at the same time.
func image(name string) string { return fmt.Sprintf("trueup-test/%s:%d", name, os.Getpid()) }

// Main runs a package's tests with the images, for its TestMain, and returns the
// exit code. It fails if no engine answers.
func Main(m *testing.M) int {
	ctx := context.Background()
	api, err := client.New(client.WithHost(Address()))
	if err == nil {
		_, err = api.Ping(ctx, client.PingOptions{})
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "dockertest: these tests need a container engine, and %s doesn't answer (TRUEUP_TEST_DOCKER names another one): %v\n", Address(), err)
		return 1
	}
	if err := buildImages(ctx, Address()); err != nil {
		fmt.Fprintf(os.Stderr, "dockertest: %v\n", err)
		return 1
	}
	code := m.Run()
	for _, name := range []string{Checked(), Image()} {
		if _, err := api.ImageRemove(ctx, name, client.ImageRemoveOptions{Force: true, PruneChildren: true}); err != nil {
			fmt.Fprintf(os.Stderr, "dockertest: %v\n", err)
			code = 1
		}
	}
	return code
}

// Dockerfile is how to make an image like Image in a directory that Program was
// copied to.
const Dockerfile = "FROM scratch\nCOPY app /app\nENTRYPOINT [\"/app\"]\nCMD [\"serve\"]\n"

const healthCheck = "HEALTHCHECK --interval=100ms --timeout=10s --start-period=1h --retries=2 CMD [\"/app\", \"check\"]\n"

func buildImages(ctx context.Context, address string) error {
	dir, err := os.MkdirTemp("", "trueup-dockertest-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // the engine has it now
	if err := Program(ctx, dir); err != nil {
		return err
	}
	for name, dockerfile := range map[string]string{Image(): Dockerfile, Checked(): Dockerfile + healthCheck} {
		cmd := exec.CommandContext(ctx, "docker", "--host", address, "build", "--quiet", "--tag", name, "--file", "-", dir)
		cmd.Stdin = strings.NewReader(dockerfile)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("docker build: %w\n%s", err, out)
		}
	}
	return nil
}

// Program builds command app into a directory, as a file that needs nothing else.
func Program(ctx context.Context, dir string) error {
	const path = "github.com/trueup-go/trueup/examples/internal/docker/dockertest/app"
	cmd := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(dir, "app"), path)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build app: %w\n%s", err, out)
	}
	return nil
}

// Host is the engine as one test has it.
type Host struct {
	*client.Client
	// Address is the engine's.
	Address string
	// Scope is the test's own.
	Scope state.Scope
	// Name is a prefix for names that are the engine's, containers and projects:
	// no other test has it.
	Name string
}

// New returns the engine for a test. When the test ends all that bears the scope's
// label or the name's prefix is removed: containers, volumes, networks, images.
func New(t testing.TB) *Host {
	t.Helper()
	h := newHost(t, Address())
	api := h.Client
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		if err := errors.Join(h.removeContainers(ctx), h.removeVolumes(ctx), h.removeNetworks(ctx), h.removeImages(ctx), api.Close()); err != nil {
			t.Errorf("dockertest: clean up: %v", err)
		}
	})
	return h
}

func newHost(t testing.TB, address string) *Host {
	t.Helper()
	api, err := client.New(client.WithHost(address))
	if err != nil {
		t.Fatal(err)
	}
	name := "trueup-test-" + strings.ToLower(rand.Text()[:10])
	return &Host{Client: api, Address: address, Scope: state.Scope{Org: "test", App: name}, Name: name}
}

func (h *Host) removeContainers(ctx context.Context) error {
	all, err := h.ContainerList(ctx, client.ContainerListOptions{All: true})
	if err != nil {
		return err
	}
	var errs []error
	for _, c := range all.Items {
		if h.mine(c.Labels, c.Names...) {
			_, err := h.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (h *Host) removeVolumes(ctx context.Context) error {
	all, err := h.VolumeList(ctx, client.VolumeListOptions{})
	if err != nil {
		return err
	}
	var errs []error
	for _, v := range all.Items {
		if h.mine(v.Labels, v.Name) {
			_, err := h.VolumeRemove(ctx, v.Name, client.VolumeRemoveOptions{})
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (h *Host) removeNetworks(ctx context.Context) error {
	all, err := h.NetworkList(ctx, client.NetworkListOptions{})
	if err != nil {
		return err
	}
	var errs []error
	for _, n := range all.Items {
		if h.mine(n.Labels, n.Name) {
			_, err := h.NetworkRemove(ctx, n.ID, client.NetworkRemoveOptions{})
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (h *Host) removeImages(ctx context.Context) error {
	all, err := h.ImageList(ctx, client.ImageListOptions{})
	if err != nil {
		return err
	}
	var errs []error
	for _, i := range all.Items {
		if h.mine(i.Labels, i.RepoTags...) {
			_, err := h.ImageRemove(ctx, i.ID, client.ImageRemoveOptions{Force: true, PruneChildren: true})
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// mine tells whether a thing is this test's, by a label whose value is the scope or a
// name of ours (compose's own, of an image that has lost its name), or by its name.
func (h *Host) mine(labels map[string]string, names ...string) bool {
	for _, value := range labels {
		if value == h.Scope.String() || strings.HasPrefix(value, h.Name) {
			return true
		}
	}
	for _, name := range names {
		if strings.HasPrefix(strings.TrimPrefix(name, "/"), h.Name) {
			return true
		}
	}
	return false
}
