package recipe

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Version is a version of a recipe, X.Y.Z+APP or X.Y.Z-PRE+APP: the recipe's own, by
// semver, and that of the app in it, in whatever form the app has. Two are == if
// their texts are. The zero Version is none.
type Version struct {
	release  [3]string // decimal numbers of any size
	pre, app string    // pre is empty for a release
}

// The first is of semver.org but for what follows the +, which needs no quotes in a
// shell or in an .env file. The second finds what an app's version is compared by.
var (
	form = regexp.MustCompile(`^(` + number + `)\.(` + number + `)\.(` + number + `)` +
		`(?:-(` + ofPre + `(?:\.` + ofPre + `)*))?\+([0-9A-Za-z._+-]+)$`)
	parts = regexp.MustCompile(`[0-9]+|[^0-9]`)
)

const (
	number = `0|[1-9][0-9]*`
	ofPre  = `(?:` + number + `|[0-9]*[A-Za-z-][0-9A-Za-z-]*)`
)

// ParseVersion reads a version as it stands in a tag. The numbers have no leading
// zeros. The app's version is required, and made of ASCII letters, digits and any
// of "-._+".
func ParseVersion(text string) (Version, error) {
	m := form.FindStringSubmatch(text)
	if m == nil {
		return Version{}, fmt.Errorf("version %q: expected X.Y.Z+APP, the recipe's version and the app's, such as 4.0.0+v1.93.0", text)
	}
	return Version{release: [3]string(m[1:4]), pre: m[4], app: m[5]}, nil
}

// String is what ParseVersion has read.
func (v Version) String() string {
	text := strings.Join(v.release[:], ".")
	if v.pre != "" {
		text += "-" + v.pre
	}
	return text + "+" + v.app
}

// Compare is negative if v is older than w, positive if it is newer, and 0 only if
// they are equal. The recipe's version decides, as semver orders it; then the app's,
// without a v that it begins with: runs of digits as numbers, which come before all
// else, and the rest byte by byte.
func (v Version) Compare(w Version) int {
	return cmp.Or(
		slices.CompareFunc(v.release[:], w.release[:], compareParts),
		slices.CompareFunc(v.ofPre(), w.ofPre(), compareParts),
		slices.CompareFunc(v.ofApp(), w.ofApp(), compareParts),
		strings.Compare(v.app, w.app), // v1 and 1, 1.0 and 1.00: other tags, in one order
	)
}

// ofPre has a release come after what is before it: no pre-release is as late as ~.
func (v Version) ofPre() []string { return strings.Split(cmp.Or(v.pre, "~"), ".") }

func (v Version) ofApp() []string { return parts.FindAllString(strings.TrimPrefix(v.app, "v"), -1) }

// compareParts is semver's rule 11 for one part: numbers first, the rest by bytes.
func compareParts(a, b string) int {
	switch x, y := isNumber(a), isNumber(b); {
	case x && y:
		a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
		return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
	case x:
		return -1
	case y:
		return 1
	}
	return strings.Compare(a, b)
}

func isNumber(part string) bool { return strings.Trim(part, "0123456789") == "" }
