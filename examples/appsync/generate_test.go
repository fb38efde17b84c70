package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// generateApp writes an app with n components of some ten fields into dir. Every
// tenth depends on nothing; each of the others on the one before.
func generateApp(t testing.TB, dir string, n int) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "components"), 0o700))
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	write("metadata.toml", "version = \"v2\"\n")
	write("runner.toml", "runner_type = \"aws\"\n")
	write("sandbox.toml", "terraform_version = \"1.11.3\"\n[public_repo]\nrepo = \"a/b\"\ndirectory = \".\"\nbranch = \"main\"\n")
	for i := range n {
		write(componentFile(i), componentText(i, "v1"))
	}
}

func componentFile(i int) string { return fmt.Sprintf("components/c%05d.toml", i) }

// componentText is a component of which one field has a value of choice.
func componentText(i int, tag string) string {
	dependencies := ""
	if i%10 != 0 {
		dependencies = fmt.Sprintf("%q", fmt.Sprintf("c%05d", i-1))
	}
	return fmt.Sprintf(`# Component %[1]d of many: a module, with variables that come from elsewhere.
name              = "c%05[1]d"
type              = "terraform_module"
terraform_version = "1.11.3"
dependencies      = [%[3]s]

[public_repo]
repo      = "example/modules"
directory = "modules/m%[1]d"
branch    = "main"

[vars]
region   = "{{.nuon.install.cloud_account.aws.region}}"
name     = "{{.nuon.install.id}}-c%05[1]d"
tag      = "%[2]s"
vpc_id   = "{{.nuon.install.sandbox.outputs.vpc.id}}"
size     = "%[1]d"
sentence = "The quick brown fox jumps over the lazy dog, and over the fence as well."
`, i, tag, dependencies)
}
