package format

import (
	"fmt"
	"strconv"
	"strings"
)

// Version is that of a build. The zero Version means the latest.
type Version struct{ Major, Minor, Patch int }

const maxPart = 1<<31 - 1 // of a version

// ParseVersion reads "1.2.3". Parts that are left out are 0; an empty text is the
// latest version, 0.0.0. Spaces around it are ignored, a sign is not.
func ParseVersion(text string) (Version, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return Version{}, nil
	}
	var v Version
	parts := [...]*int{&v.Major, &v.Minor, &v.Patch}
	split := strings.Split(text, ".")
	if len(split) > len(parts) {
		return Version{}, fmt.Errorf(`want a version like "1.2.3", found %q`, text)
	}
	for i, part := range split {
		n, err := strconv.ParseUint(part, 10, 32)
		if err != nil || n > maxPart {
			return Version{}, fmt.Errorf(`want a version like "1.2.3", found %q`, text)
		}
		*parts[i] = int(n)
	}
	return v, nil
}

// String returns "1.2.3".
func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch) }

// IsLatest tells whether it is the zero Version, which stands for the latest one.
func (v Version) IsLatest() bool { return v == Version{} }

// MarshalText implements encoding.TextMarshaler, in the form of String.
func (v Version) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler, as ParseVersion reads it.
func (v *Version) UnmarshalText(text []byte) (err error) {
	*v, err = ParseVersion(string(text))
	return err
}
