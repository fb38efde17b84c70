package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkProcess measures whole processes, from the command line to the exit code,
// over 5,000 resources in 200 files: a plan of the first sync, one that finds
// everything as it was, one that finds 50 changed, and what they are compared with: a
// process that reads the same files and decodes them.
//
//	go test -run '^$' -bench Process -benchtime 5x ./examples/resourcesync
func BenchmarkProcess(b *testing.B) {
	program, decoder := buildOf(b, "."), buildOf(b, "../internal/decode")
	dir, books := b.TempDir(), "file:"+b.TempDir()
	generate(b, dir, 200, 25)
	of := func(command, at string) []string {
		return []string{program, command, "--no-deploy", "--backend", at, dir}
	}
	bench(b, "plan-first", 2, "Plan: 5000 to create", of("plan", "file:"+filepath.Join(dir, "none")))
	spend(b, 0, "Done: 5000 created", of("sync", books))
	bench(b, "plan-unchanged", 0, "No changes: 5000 as declared.", of("plan", books))
	for _, name := range []string{"003.toml", "004.toml"} {
		file := filepath.Join(dir, name)
		text, err := os.ReadFile(file)
		require.NoError(b, err)
		require.NoError(b, os.WriteFile(file, []byte(strings.ReplaceAll(string(text), "TAG = v1", "TAG = v2")), 0o600))
	}
	bench(b, "plan-48-changed", 2, "Plan: 48 to update", of("plan", books))
	bench(b, "read-and-decode", 0, "", []string{decoder, dir})
}

// bench measures a process: how long it takes, and how much of the processors, which
// is the better figure where others are busy.
func bench(b *testing.B, name string, code int, says string, args []string) {
	b.Run(name, func(b *testing.B) {
		var spent time.Duration
		for b.Loop() {
			spent += spend(b, code, says, args)
		}
		b.ReportMetric(float64(spent.Milliseconds())/float64(b.N), "cpu-ms/op")
	})
}

// spend runs a process and returns the processor time that it took.
func spend(b *testing.B, code int, says string, args []string) time.Duration {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), args[0], args[1:]...)
	out, _ := cmd.CombinedOutput()
	require.Equal(b, code, cmd.ProcessState.ExitCode(), "%s", out)
	require.Contains(b, string(out), says)
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

// buildOf builds a program and returns its path.
func buildOf(t testing.TB, source string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, source).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return path
}

// generate writes files that each declare a server and stacks and deployments on it,
// n resources in all.
func generate(t testing.TB, dir string, files, n int) {
	t.Helper()
	for f := range files {
		var b strings.Builder
		fmt.Fprintf(&b, "[[server]]\nname = \"server-%d\"\nconfig = { address = \"https://10.0.%d.1:8120\", enabled = true, region = \"eu\" }\n", f, f)
		for i := 1; i < n; i++ {
			if i%2 == 0 {
				fmt.Fprintf(&b, `
[[deployment]]
name = "db-%[1]d-%[2]d"
tags = ["generated"]
deploy = true
[deployment.config]
server_id = "server-%[1]d"
image = { type = "Image", params.image = "example/db:%[2]d" }
network = "bridge"
volumes = """
/data/%[1]d/%[2]d = /var/lib/db
"""
environment = """
TAG = v1
SIZE = %[2]d
"""
`, f, i)
				continue
			}
			after := ""
			if i > 1 {
				after = fmt.Sprintf("\"db-%d-%d\"", f, i-1)
			}
			fmt.Fprintf(&b, `
[[stack]]
name = "stack-%[1]d-%[2]d"
description = "the %[2]dth of many"
deploy = true
after = [%[3]s]
[stack.config]
server = "server-%[1]d"
repo = "example/stacks"
file_paths = ["stack.yaml"]
environment = """
# where it is reached
DOMAIN = s%[2]d.example.org
TAG = v1
"""
file_contents = """
services:
  web:
    image: example/web:%[2]d
    ports: ["80:80"]
"""
`, f, i, after)
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%03d.toml", f)), []byte(b.String()), 0o600))
	}
}
