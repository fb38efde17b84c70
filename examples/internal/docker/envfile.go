package docker

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// writeEnvFile writes entries K=V into a file of a directory, whole or not at all,
// for its owner's eyes only.
func writeEnvFile(dir, name string, entries []string) error {
	if !filepath.IsLocal(name) {
		return fmt.Errorf("environment file %q: expected a path inside the stack's directory", name)
	}
	text, err := envFile(entries)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("environment file %q: %w", name, err)
	}
	defer func() { _ = root.Close() }() // it was opened to look up names
	if err := root.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return fmt.Errorf("environment file %q: %w", name, err)
	}
	fresh := name + ".new"
	if err := root.WriteFile(fresh, []byte(text), 0o600); err != nil {
		return fmt.Errorf("environment file %q: %w", name, err)
	}
	if err := root.Rename(fresh, name); err != nil {
		return fmt.Errorf("environment file %q: %w", name, err)
	}
	return nil
}

// envFile renders entries such that compose reads each value as it is, to the
// byte: nothing in it is a variable, a comment or an escape.
func envFile(entries []string) (string, error) {
	var b strings.Builder
	for i, entry := range entries {
		name, value, ok := strings.Cut(entry, "=")
		if !ok || !isName(name) {
			return "", fmt.Errorf("entry %d of the environment: expected NAME=VALUE, with a name of letters, digits, _, . and -", i+1)
		}
		b.WriteString(name + "=" + quote(value) + "\n")
	}
	return b.String(), nil
}

// isName holds for what compose takes for a name. It quotes the whole entry when it
// doesn't.
func isName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '_' && r != '.' && r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

// quote prefers single quotes, in which all is as it is but a quote, and a backslash
// before one.
func quote(value string) string {
	if !strings.ContainsAny(value, "'\\\r") {
		return "'" + value + "'"
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "\r", `\r`).Replace(value) + `"`
}
