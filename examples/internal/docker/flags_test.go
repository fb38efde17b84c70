package docker

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/stretchr/testify/require"
)

func TestFlags(t *testing.T) {
	t.Parallel()
	on, seconds := true, int64(100)
	for args, want := range map[string]creation{
		"--cap-add NET_ADMIN --cap-add=SYS_TIME": {host: container.HostConfig{CapAdd: []string{"NET_ADMIN", "SYS_TIME"}}},
		"--init --privileged=false":              {host: container.HostConfig{Init: &on}},
		"-e A=b=c -l x -l y=z -h web -u 1:2":     {config: container.Config{Env: []string{"A=b=c"}, Labels: map[string]string{"x": "", "y": "z"}, Hostname: "web", User: "1:2"}},
		"--dns 10.0.0.1 --dns-search shop":       {host: container.HostConfig{DNS: []netip.Addr{netip.MustParseAddr("10.0.0.1")}, DNSSearch: []string{"shop"}}},
		"--cpus 1.5 -m 1g --memory-swap -1 --shm-size 64m --pids-limit 100 --ulimit nofile=1:2": {host: container.HostConfig{ShmSize: 64 << 20, Resources: container.Resources{
			NanoCPUs: 1.5e9, Memory: 1 << 30, MemorySwap: -1, PidsLimit: &seconds, Ulimits: []*container.Ulimit{{Name: "nofile", Soft: 1, Hard: 2}},
		}}},
		"--device /dev/a --device /dev/a:/dev/b:r": {host: container.HostConfig{Resources: container.Resources{Devices: []container.DeviceMapping{
			{PathOnHost: "/dev/a", PathInContainer: "/dev/a", CgroupPermissions: "rwm"}, {PathOnHost: "/dev/a", PathInContainer: "/dev/b", CgroupPermissions: "r"},
		}}}},
		"--tmpfs /run:size=1m --tmpfs /tmp":          {host: container.HostConfig{Tmpfs: map[string]string{"/run": "size=1m", "/tmp": ""}}},
		"--mount type=bind,src=/a,dst=/b,readonly":   {host: container.HostConfig{Mounts: []mount.Mount{{Type: mount.TypeBind, Source: "/a", Target: "/b", ReadOnly: true}}}},
		"--health-cmd check --health-interval 1m30s": {config: container.Config{Healthcheck: &container.HealthConfig{Test: []string{"CMD-SHELL", "check"}, Interval: 90 * time.Second}}},
		"--log-driver local --log-opt max-size=1m":   {host: container.HostConfig{LogConfig: container.LogConfig{Type: "local", Config: map[string]string{"max-size": "1m"}}}},
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			var got creation
			require.NoError(t, got.extra(strings.Fields(args)))
			require.Empty(t, cmp.Diff(want, got, cmp.AllowUnexported(creation{}), cmpopts.EquateComparable(netip.Addr{})))
		})
	}
}

func TestFlags_Mistakes(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"--cap-ad ALL":        "extra argument --cap-ad is not understood, did you mean --cap-add?",
		"--name web":          "extra argument --name is not understood; these are: --add-host, --cap-add,",
		"-x":                  "extra argument -x is not understood; these are:",
		"--":                  "extra argument -- is not understood; these are:",
		"--memory":            "extra argument --memory: its value is missing",
		"--memory much":       `extra argument --memory: read "much", expected a size like 512m`,
		"--init=maybe":        `extra argument --init: read "maybe", expected true or false`,
		"--pids-limit ten":    `extra argument --pids-limit: read "ten", expected a whole number`,
		"--init sh":           `extra argument "sh": expected a flag of docker run; the command has a field of its own`,
		"--dns nowhere":       "extra argument --dns: ",
		"--device :a":         `extra argument --device: read ":a", expected PATH[:PATH[:rwm]]`,
		"--env hunter2":       "extra argument --env: entry 1 of the environment: expected NAME=VALUE",
		"--health-interval 3": "extra argument --health-interval: ",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			err := new(creation).extra(strings.Fields(args))
			require.ErrorContains(t, err, want)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func TestHide(t *testing.T) {
	t.Parallel()
	entries := []string{"TOKEN=hunter2", "LONG=hunter2 and more", "PEM=first line\nsecond line", `QUOTED=a"b\c`, "ONE=1", "NONE"}
	for text, want := range map[string]string{
		"invalid port hunter2":           "invalid port <TOKEN>",
		"it is hunter2 and more, 1":      "it is <LONG>, 1",
		"line 2: second line":            "line 2: <PEM>",
		"first line\nsecond line":        "<PEM>",
		`read "first line\nsecond line"`: `read "<PEM>"`,
		`read "a\"b\\c" or a"b\c`:        `read "<QUOTED>" or <QUOTED>`,
	} {
		require.Equal(t, want, hide(text, entries))
	}
}

func TestOpen_Mistakes(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"":                        "expected unix:///PATH, tcp://HOST:PORT or ssh://USER@HOST",
		"/run/docker.sock":        "expected unix:///PATH, tcp://HOST:PORT or ssh://USER@HOST",
		"http://periphery:8120":   `unknown scheme "http": expected unix, tcp or ssh`,
		"ssh://host?x=1":          "ssh host connection is not valid",
		"ssh://user:secret@host/": "ssh host connection is not valid",
	} {
		_, err := Open(address, nil)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "secret")
	}
	_, err := Open("unix:///run/docker.sock", &Options{CertDir: "certs"})
	require.ErrorContains(t, err, "certificates are for tcp:// only")
	_, err = Open("tcp://host:2376", &Options{CertDir: "none"})
	require.ErrorContains(t, err, "none")
}
