package script

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// verb does what a line says that doesn't run the program.
func (r *run) verb(name string, args []string) error {
	known := map[string]struct {
		args int
		do   func(args []string) error
	}{
		"stdout":   {1, func(args []string) error { return match(r.stdout, args[0]) }},
		"stderr":   {1, func(args []string) error { return match(r.stderr, args[0]) }},
		"grep":     {2, r.grep},
		"cmp":      {2, r.compare},
		"edit":     {3, r.edit},
		"append":   {2, r.append},
		"cp":       {2, r.copy},
		"rm":       {1, func(args []string) error { return os.RemoveAll(r.path(args[0])) }},
		"exists":   {1, func(args []string) error { _, err := os.Stat(r.path(args[0])); return err }},
		"terminal": {0, func([]string) error { r.terminal = true; return nil }},
		"answer":   {1, func(args []string) error { r.answer = args[0] + "\n"; return nil }},
		"env":      {2, func(args []string) error { r.env[args[0]] = r.expand.Replace(args[1]); return nil }},
	}
	verb, ok := known[name]
	switch {
	case !ok:
		return fmt.Errorf("there is no verb %q", name)
	case len(args) != verb.args:
		return fmt.Errorf("%s takes %d arguments, not %d", name, verb.args, len(args))
	}
	return verb.do(args)
}

// path is a file's, from its name in the script.
func (r *run) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(r.work, filepath.FromSlash(name))
}

func match(text, pattern string) error {
	re, err := regexp.Compile("(?m)" + pattern)
	if err != nil {
		return err
	}
	if !re.MatchString(text) {
		return fmt.Errorf("no line matches %q", pattern)
	}
	return nil
}

// read returns what is in a file, or what the program wrote last.
func (r *run) read(name string) (string, error) {
	switch name {
	case "stdout":
		return r.stdout, nil
	case "stderr":
		return r.stderr, nil
	}
	data, err := os.ReadFile(r.path(name))
	return string(data), err
}

func (r *run) write(name, text string) error {
	if err := os.MkdirAll(filepath.Dir(r.path(name)), 0o700); err != nil {
		return err
	}
	return os.WriteFile(r.path(name), []byte(text), 0o600)
}

func (r *run) grep(args []string) error {
	text, err := r.read(args[0])
	if err != nil {
		return err
	}
	return match(text, args[1])
}

func (r *run) compare(args []string) error {
	got, err := r.read(args[0])
	if err != nil {
		return err
	}
	if f := r.archive.file(args[1]); r.program.Update && f != nil {
		f.data = got
		return nil
	}
	want, err := r.read(args[1])
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("%s is not %s:\n%s", args[0], args[1], firstDifference(got, want))
	}
	return nil
}

// firstDifference shows the first line that differs.
func firstDifference(got, want string) string {
	gots, wants := strings.SplitAfter(got, "\n"), strings.SplitAfter(want, "\n")
	for i := range max(len(gots), len(wants)) {
		var g, w string
		if i < len(gots) {
			g = gots[i]
		}
		if i < len(wants) {
			w = wants[i]
		}
		if g != w {
			return fmt.Sprintf("line %d: got %q, want %q", i+1, g, w)
		}
	}
	return ""
}

func (r *run) edit(args []string) error {
	text, err := r.read(args[0])
	if err != nil {
		return err
	}
	if n := strings.Count(text, args[1]); n != 1 {
		return fmt.Errorf("%s has %q %d times, want once", args[0], args[1], n)
	}
	return r.write(args[0], strings.Replace(text, args[1], args[2], 1))
}

func (r *run) append(args []string) error {
	text, err := r.read(args[0])
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return r.write(args[0], text+args[1]+"\n")
}

func (r *run) copy(args []string) error {
	text, err := r.read(args[0])
	if err != nil {
		return err
	}
	return r.write(args[1], text)
}
