package script

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
)

// archive is a script's file: its lines, and the files that stand below them.
type archive struct {
	script string
	files  []archived
}

type archived struct {
	name string
	data string
}

// parseArchive reads the form that golang.org/x/tools/txtar describes.
func parseArchive(data []byte) *archive {
	a := &archive{}
	into := &a.script
	for line := range bytes.Lines(data) {
		text := strings.TrimRight(string(line), "\r\n")
		if name, ok := strings.CutPrefix(text, "-- "); ok && strings.HasSuffix(name, " --") {
			a.files = append(a.files, archived{name: strings.TrimSuffix(name, " --")})
			into = &a.files[len(a.files)-1].data
			continue
		}
		*into += text + "\n"
	}
	return a
}

// extract writes the files below dir.
func (a *archive) extract(dir string) error {
	for _, f := range a.files {
		path := filepath.Join(dir, filepath.FromSlash(f.name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(f.data), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// file returns the file of that name, or nil.
func (a *archive) file(name string) *archived {
	for i := range a.files {
		if a.files[i].name == name {
			return &a.files[i]
		}
	}
	return nil
}

// format is what parseArchive read.
func (a *archive) format() []byte {
	var b bytes.Buffer
	b.WriteString(a.script)
	for _, f := range a.files {
		b.WriteString("-- " + f.name + " --\n" + f.data)
	}
	return b.Bytes()
}
