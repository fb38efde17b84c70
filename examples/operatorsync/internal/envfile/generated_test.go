package envfile_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/operatorsync/internal/envfile"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// Whatever people write into these files, only the version changes.
func TestOnlyTheVersionDiffersInAnyFile(t *testing.T) {
	t.Parallel()
	for seed := range syncertest.Soak(10_000) {
		g := &generator{Rand: rand.New(rand.NewPCG(4, uint64(seed)))}
		text := []byte(g.file())
		f, err := envfile.Parse(text)
		require.NoError(t, err, "seed %d: %q", seed, text)
		require.Equal(t, g.version, f.Version(), "seed %d: %q", seed, text)
		for _, version := range []string{"98.7.6+v5.4", "1a2b3c4d+U", ""} {
			changed, err := f.With(version)
			require.NoError(t, err, "seed %d: %q", seed, text)
			onlyVersionDiffers(t, f, text, changed, version)
		}
	}
}

// generator makes .env files of every sort.
type generator struct {
	*rand.Rand

	newline string
	version string // of the file that was made
}

func (g *generator) file() string {
	g.newline = g.any("\n", "\n", "\r\n")
	var lines []string
	for range g.IntN(8) {
		lines = append(lines, g.line())
	}
	g.version = ""
	inType := g.IntN(2) == 0
	for range g.IntN(3) { // where there are several, the last counts
		lines = append(lines, g.recorded("OPERATOR_SYNC_VERSION", "", !inType))
		lines = append(lines, g.recorded("TYPE", "matrix-synapse", inType))
		lines = append(lines, g.line())
	}
	return strings.Join(lines, g.newline) + g.any("", g.newline, g.newline+g.newline)
}

// recorded is a line with the version, if that is its place; nothing or one without it
// if not.
func (g *generator) recorded(name, value string, here bool) string {
	switch {
	case !here && value == "":
		return "# " + name + "=0.0.0+1"
	case here:
		g.version = g.any("", "1.0.0+1", "4.0.0+v1.93.0", "0123abcd+U")
		value = strings.TrimPrefix(value+":"+g.version, ":")
	}
	quote := g.any("", "'", `"`)
	return g.name(name) + quote + value + quote + g.any("", " ", " # managed by Abra", "\t# it's \"mine\" = :")
}

func (g *generator) line() string {
	switch g.IntN(6) {
	case 0:
		return g.any("", " ", "\t")
	case 1:
		return g.any("# TYPE=x:1", "#", "  # it's \"", "#A='")
	}
	name := g.name(g.any("A", "B", "DOMAIN", "a.b_2", "TYPE2", "EXTRA_OPERATOR_SYNC_VERSION"))
	switch g.IntN(3) {
	case 0:
		return name + "'" + g.text(`"`, `\n`, "$A") + "'" + g.any("", " # c", "# c'")
	case 1:
		return name + `"` + g.text("'", `\"`, `\n`, `\$A`, "$B", "${A}") + `"` + g.any("", " # c", "# \"c")
	}
	return name + g.any("", "1", "a b", "https://example.com/#x", "a=b:c", "$A", "é") + g.any("", "  ", " # c", " # c # 'd")
}

// text is what may be between quotes, over several lines.
func (g *generator) text(special ...string) string {
	special = append(special, "x", " ", "é", "# no comment", "=", g.newline+"OPERATOR_SYNC_VERSION=7", g.newline+"TYPE=y:7")
	var text strings.Builder
	for range g.IntN(6) {
		text.WriteString(g.any(special...))
	}
	return text.String()
}

func (g *generator) name(name string) string {
	return g.any("", "", " ", "export ", "export\t ") + name + g.any("=", "=", " = ", ": ")
}

func (g *generator) any(of ...string) string { return of[g.IntN(len(of))] }
