// Package envfile reads the .env file of an app, and changes the one line in it that
// says which version is deployed. Whatever else is in the file stays as it is, to the
// byte.
//
// The version is where seed 004 has it, or where it went later:
//
//	OPERATOR_SYNC_VERSION=4.0.0+v1.93.0 # managed by Abra
//	TYPE=matrix-synapse:4.0.0+v1.93.0
//
// What a line means is decided by godotenv, with which abra reads these files. This
// package only finds the place of a value, and believes itself only where godotenv
// reads the same there.
package envfile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/joho/godotenv"

	"github.com/trueup-go/trueup/state"
)

// The variables that this package knows.
const (
	versionVar = "OPERATOR_SYNC_VERSION"
	typeVar    = "TYPE"
)

// comment is what a new line ends with, as seed 004 has it.
const comment = " # managed by Abra"

// File is what a .env file says. It is a value that doesn't change.
type File struct {
	text    []byte
	values  map[string]string
	recipe  string
	version string
	// start and end are the place of the version in text. Both are 0 if it has none.
	start, end int
	// inType says that the version is a part of TYPE.
	inType bool
}

// Read reads the file at a path. The error is fs.ErrNotExist only if there is nothing of
// that name: what leads nowhere may have a version in it tomorrow.
func Read(path string) (*File, error) {
	if _, err := os.Lstat(path); err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s is a link to a file that isn't there", path)
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a file", path) // and reading it may never end
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f, err := Parse(text)
	if err == nil && f.recipe == "" {
		err = errors.New("it doesn't say which recipe the app is of: expected a line TYPE=RECIPE")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// Parse reads a file's text. The error says in which line a mistake is.
func Parse(text []byte) (*File, error) {
	places, err := scan(text)
	if err != nil {
		return nil, err
	}
	values, err := godotenv.UnmarshalBytes(text)
	if err != nil {
		return nil, errors.New("godotenv can't read it") // its error quotes what may be secret
	}
	f := &File{text: text, values: values}
	of := places[typeVar]
	recipe, version, inType := strings.Cut(values[typeVar], ":")
	f.recipe = recipe
	if inType {
		f.version, f.inType = version, true
		f.start, f.end = of.start+bytes.IndexByte(text[of.start:of.end], ':')+1, of.end
	}
	own, recorded := places[versionVar]
	switch {
	case recorded && inType:
		return nil, fmt.Errorf("line %d: the version is recorded here and in TYPE, line %d: remove one of them",
			line(text, own.start), line(text, of.start))
	case recorded && strings.HasPrefix(values[versionVar], "#"):
		f.start, f.end = own.sign, own.sign // where nothing is before it, a comment is a value to godotenv
	case recorded:
		f.version = values[versionVar]
		f.start, f.end = own.start, own.end
	}
	if string(text[f.start:f.end]) != f.version {
		return nil, fmt.Errorf("line %d: the version is written with quotes, escapes or variables that can't be kept: write it plainly", line(text, f.start))
	}
	if !isVersion(f.version) {
		return nil, fmt.Errorf("line %d: %q is no version: %s", line(text, f.start), f.version, versionRule)
	}
	return f, nil
}

// Recipe returns what TYPE names, without a version; empty if the file has none.
func (f *File) Recipe() string { return f.recipe }

// Version returns the recorded version; empty if there is none.
func (f *File) Version() string { return f.version }

// Entries returns the file's variables as NAME=VALUE, sorted, without the version,
// wherever that is.
func (f *File) Entries() []string {
	values := maps.Clone(f.values)
	delete(values, versionVar)
	if f.inType {
		values[typeVar] = f.recipe
	}
	entries := make([]string, 0, len(values))
	for name, value := range values {
		entries = append(entries, name+"="+value)
	}
	slices.Sort(entries)
	return entries
}

// Digest returns the first 16 hex digits of a checksum of the variables, the version
// aside: it is the same for files that mean the same. People see it, so it is short.
func (f *File) Digest() string {
	return state.Sum([]byte(strings.Join(f.Entries(), "\x00"))).Hex()[:16]
}

// With returns the text of the file with another version; with none, if that is empty.
// A file that has no place for one gets a line at its end.
func (f *File) With(version string) ([]byte, error) {
	if version == f.version {
		return f.text, nil
	}
	if !isVersion(version) {
		return nil, fmt.Errorf("%q can't be recorded: %s", version, versionRule)
	}
	text := f.replaced(version)
	again, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("recording %q would break the file: %w", version, err)
	}
	if again.version != version || !slices.Equal(again.Entries(), f.Entries()) {
		return nil, fmt.Errorf("recording %q would change more of the file than the version", version)
	}
	return text, nil
}

func (f *File) replaced(version string) []byte {
	switch {
	case f.inType && version == "":
		return slices.Concat(f.text[:f.start-1], f.text[f.end:])
	case f.end > 0 && version == "" && !f.isQuoted():
		version = `""` // or a comment behind it would be the value
		fallthrough
	case f.end > 0:
		return slices.Concat(f.text[:f.start], []byte(version), f.text[f.end:])
	}
	ending := []byte("\n")
	if i := bytes.IndexByte(f.text, '\n'); i > 0 && f.text[i-1] == '\r' {
		ending = []byte("\r\n")
	}
	added := []byte(versionVar + "=" + version + comment)
	if len(f.text) == 0 || f.text[len(f.text)-1] == '\n' {
		return slices.Concat(f.text, added, ending)
	}
	return slices.Concat(f.text, ending, added) // it goes on without a newline at its end
}

const versionRule = "a version is made of letters, digits and any of . + - _ ~ /"

// isVersion holds for what needs no quotes anywhere.
func isVersion(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r >= unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(".+-_~/", r)
	})
}

func (f *File) isQuoted() bool {
	return f.end < len(f.text) && (f.text[f.end] == '"' || f.text[f.end] == '\'')
}

// place is where a value is in a text, without its quotes, and the end of the sign
// before it.
type place struct{ sign, start, end int }

// scan finds the places of the values. Of a variable that is there several times the
// last counts.
func scan(text []byte) (map[string]place, error) {
	places := map[string]place{}
	for at := 0; ; {
		at = skip(text, at, unicode.IsSpace)
		if at == len(text) {
			return places, nil
		}
		if text[at] == '#' {
			at = until(text, at, "\n")
			continue
		}
		if mark := string(text[at:min(at+7, len(text))]); mark == "<<<<<<<" || mark == "=======" || mark == ">>>>>>>" {
			return nil, fmt.Errorf("line %d: git's mark of a conflict: keep one side, and remove the marks", line(text, at))
		}
		sign := until(text, at, "=:\n")
		name := string(bytes.TrimRightFunc(text[at:sign], isBlank))
		if rest, ok := strings.CutPrefix(name, "export"); ok && rest != strings.TrimLeftFunc(rest, isBlank) {
			name = strings.TrimLeftFunc(rest, isBlank)
		}
		if sign == len(text) || text[sign] == '\n' || !isName(name) {
			return nil, fmt.Errorf("line %d: expected NAME=VALUE, with a name of letters, digits, . and _", line(text, at))
		}
		value, over := valueAt(text, skipBlanks(text, sign+1))
		if over < 0 {
			return nil, fmt.Errorf("line %d: the quote isn't closed", line(text, sign))
		}
		value.sign = sign + 1
		places[name], at = value, over
	}
}

// valueAt returns the place of the value that begins at some point, and where it is
// over: -1 if that is a quote that isn't closed.
func valueAt(text []byte, at int) (place, int) {
	if at < len(text) && (text[at] == '"' || text[at] == '\'') {
		for i := at + 1; i < len(text); i++ {
			if text[i] == text[at] && text[i-1] != '\\' {
				return place{start: at + 1, end: i}, i + 1
			}
		}
		return place{}, -1
	}
	over := until(text, at, "\r\n")
	value := text[at:over]
	for i := len(value) - 1; i > 0; i-- {
		if before, _ := utf8.DecodeLastRune(value[:i]); value[i] == '#' && isBlank(before) {
			value = value[:i]
			break
		}
	}
	return place{start: at, end: at + len(bytes.TrimRightFunc(value, isBlank))}, over
}

// skip returns the first point from at on that is none of those, or the end.
func skip(text []byte, at int, these func(rune) bool) int {
	return len(text) - len(bytes.TrimLeftFunc(text[at:], these))
}

// skipBlanks stays in the line, whatever that ends with.
func skipBlanks(text []byte, at int) int {
	end := skip(text, at, isBlank)
	if end > at && end < len(text) && text[end] == '\n' && text[end-1] == '\r' {
		return end - 1
	}
	return end
}

// until returns the first point from at on that is one of those, or the end.
func until(text []byte, at int, chars string) int {
	if i := bytes.IndexAny(text[at:], chars); i >= 0 {
		return at + i
	}
	return len(text)
}

func isName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '_' && r != '.' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

// isBlank holds for what godotenv takes for white space within a line.
func isBlank(r rune) bool { return r != '\n' && strings.ContainsRune("\t\v\f\r \u0085\u00a0", r) }

// line returns the number of the line that a point is in.
func line(text []byte, at int) int { return 1 + bytes.Count(text[:at], []byte("\n")) }
