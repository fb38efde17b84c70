package dockertest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/moby/moby/client"
)

// Swarm starts an engine for this test, which is a swarm of its own with the images
// on it, and ends with the test. It is not Address's: a swarm is more than a test
// should leave there, or could clean up. Its services have no network but "host",
// which is none of the machine's. It takes root, dockerd, and unshare and ip.
func Swarm(t testing.TB) *Host {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("dockertest: an engine for a swarm takes root: run this test as root")
	}
	dir, err := os.MkdirTemp("", "trueup-swarm-") // a test's own is too long for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "daemon.json") // or it would read the machine's
	if err := os.WriteFile(config, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	address := "unix://" + filepath.Join(dir, "sock")
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	// In a network of its own: with the machine's, "--bridge none" would take docker0
	// away from the engine that is there, and the swarm leave a bridge behind. And
	// with mounts of its own, which end with it.
	daemon := exec.Command("unshare", "--net", "--mount", "sh", "-c", `ip link set lo up && exec dockerd "$@"`, "sh", //nolint:noctx // it is asked to end, below
		"--config-file", config, "--host", address,
		"--data-root", filepath.Join(dir, "data"), "--exec-root", filepath.Join(dir, "exec"), "--pidfile", filepath.Join(dir, "pid"),
		"--storage-driver", "vfs", "--bridge", "none", "--iptables=false", "--ip6tables=false", "--ip-masq=false")
	daemon.Stdout, daemon.Stderr = log, log
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	h := newHost(t, address)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		_, left := h.SwarmLeave(ctx, client.SwarmLeaveOptions{Force: true}) // ends its containers
		_ = h.Close()
		_ = daemon.Process.Signal(os.Interrupt)
		if err := daemon.Wait(); err != nil || left != nil {
			text, _ := os.ReadFile(log.Name())
			t.Errorf("dockertest: end the swarm: %v, %v\n%s", left, err, text)
		}
		_ = log.Close()
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("dockertest: %v", err)
		}
	})
	if err := h.becomeSwarm(t.Context()); err != nil {
		text, _ := os.ReadFile(log.Name())
		t.Fatalf("dockertest: start a swarm: %v\n%s", err, text)
	}
	return h
}

func (h *Host) becomeSwarm(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		_, err := h.Ping(ctx, client.PingOptions{})
		if err == nil {
			break
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return err
		}
	}
	if _, err := h.SwarmInit(ctx, client.SwarmInitOptions{ListenAddr: "127.0.0.1:0", AdvertiseAddr: "127.0.0.1"}); err != nil {
		return err
	}
	return buildImages(ctx, h.Address)
}
