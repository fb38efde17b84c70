package format

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/diff"
)

// Level is how much a user may do with a resource. A greater one includes the
// smaller.
type Level int

// The levels.
const (
	None Level = iota
	Read
	Execute
	Write
)

// Levels returns the names of the levels, from None to Write.
func Levels() []string { return []string{"None", "Read", "Execute", "Write"} }

// Specifics returns the names of the permissions that no level includes.
func Specifics() []string { return []string{"Attach", "Inspect", "Logs", "Processes", "Terminal"} }

// ParseLevel reads a level's name.
func ParseLevel(text string) (Level, error) {
	level := slices.Index(Levels(), text)
	if level < 0 {
		return None, fmt.Errorf("want one of %s, found %q%s", strings.Join(Levels(), ", "), text, hint(text, Levels()))
	}
	return Level(level), nil
}

// String returns the level's name.
func (l Level) String() string {
	if l < None || l > Write {
		return fmt.Sprintf("Level(%d)", int(l))
	}
	return Levels()[l]
}

// MarshalText implements encoding.TextMarshaler: the level's name.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler, as ParseLevel reads it.
func (l *Level) UnmarshalText(text []byte) (err error) {
	*l, err = ParseLevel(string(text))
	return err
}

// ParseSpecific reads the names of specific permissions, and returns them in order
// and without repetitions: they are a set.
func ParseSpecific(names []string) ([]string, error) {
	for _, name := range names {
		if !slices.Contains(Specifics(), name) {
			return nil, fmt.Errorf("want one of %s, found %q%s", strings.Join(Specifics(), ", "), name, hint(name, Specifics()))
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(names))), nil
}

func hint(name string, known []string) string {
	if near := diff.Nearest(name, known); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}
