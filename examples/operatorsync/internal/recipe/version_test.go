package recipe_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/operatorsync/internal/recipe"
)

// parse reads versions, separated by spaces.
func parse(t *testing.T, texts string) []recipe.Version {
	t.Helper()
	var versions []recipe.Version
	for _, text := range strings.Fields(texts) {
		v, err := recipe.ParseVersion(text)
		require.NoError(t, err)
		require.Equal(t, text, v.String())
		versions = append(versions, v)
	}
	return versions
}

func TestParseVersion_Mistakes(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "latest", "v1.0.0+v1", "1.0.0", "1.0.0+", "1.0+v1", "1.0.0.0+v1", "01.0.0+v1", "1..0+v1", "-1.0.0+v1", "+1.0.0+v1",
		" 1.0.0+v1", "1.0.0+v1\n",
		"1.0.0-+v1", "1.0.0-01+v1", "1.0.0-a..b+v1", "1.0.0-a_b+v1", "1.0.0+v 1", "1.0.0+v1#", "1.0.0+v1/2", "1.0.0+é", "1.0.0+v1^{}", "١.0.0+v1",
	} {
		v, err := recipe.ParseVersion(text)
		require.ErrorContains(t, err, "expected X.Y.Z+APP, the recipe's version and the app's, such as 4.0.0+v1.93.0", text)
		require.Zero(t, v)
	}
	_, err := recipe.ParseVersion("4.0.0\n")
	require.ErrorContains(t, err, `version "4.0.0\n": `)
}

// Each is older than those after it.
const inOrder = `
	0.0.0+v1 0.1.0+v1 0.2.0+v1 0.10.0+v1 1.0.0-alpha+v1 1.0.0-alpha.1+v1 1.0.0-alpha.beta+v1 1.0.0-beta+v1
	1.0.0-beta.2+v1 1.0.0-beta.11+v1
	1.0.0-rc.1+v1 1.0.0-rc.1+v2 1.0.0+v1 1.0.1-2+v0 1.0.1-10+v0 1.0.1-rc1+v0 1.0.1-rc10+v0 1.0.1-rc2+v0
	2.0.0+0 2.0.0+v1.09 2.0.0+v1.9 2.0.0+v1.9.1 2.0.0+1.10 2.0.0+v1.10 2.0.0+1.10-alpine
	2.0.0+1.10-debian 2.0.0+v2 2.0.0+18446744073709551616
	2.0.0+18446744073709551617 2.0.0+alpine3.9 2.0.0+alpine3.10
	2.0.0+latest 18446744073709551616.0.0+v1 18446744073709551617.0.0+v1`

func TestCompare(t *testing.T) {
	t.Parallel()
	versions := parse(t, inOrder)
	for i, a := range versions {
		for j, b := range versions {
			switch c := a.Compare(b); {
			case i < j:
				require.Negative(t, c, "%s is older than %s", a, b)
			case i > j:
				require.Positive(t, c, "%s is newer than %s", a, b)
			default:
				require.Zero(t, c)
			}
		}
	}
}

// Whatever three versions there are, they have one order.
func TestCompare_Total(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(4, 1))
	some := func(of string) string {
		words := strings.Fields(of)
		return words[random.IntN(len(words))]
	}
	var versions []recipe.Version
	for len(versions) < 80 {
		text := some("0 1 10") + ".0.0" + some("-a -1 -a.1 -a.b -10.2 -- -0 -a1") +
			"+" + some("v v1 1 01 vv a . - _ +") + some(". 0 1 10 a v - _ 1.1")
		if random.IntN(2) == 0 {
			text = strings.Join([]string{"1.0.0", some("v v1 1 01 1. .") + some("0 1 a v . - _ 10") + some("0 1 a v . - _ 10")}, "+")
		}
		versions = append(versions, parse(t, text)...)
	}
	older := map[[2]recipe.Version]bool{}
	for _, a := range versions {
		for _, b := range versions {
			order := a.Compare(b)
			require.Equal(t, -order, b.Compare(a), "%s, %s", a, b)
			require.Equal(t, a == b, order == 0, "%s, %s", a, b)
			older[[2]recipe.Version{a, b}] = order < 0
		}
	}
	for pair := range older {
		for _, c := range versions {
			a, b := pair[0], pair[1]
			if older[pair] && older[[2]recipe.Version{b, c}] && !older[[2]recipe.Version{a, c}] {
				require.Fail(t, "not transitive", "%s, %s, %s", a, b, c)
			}
		}
	}
}

func FuzzParseVersion(f *testing.F) {
	for _, text := range append(strings.Fields(inOrder), "", "1.0.0", "01.0.0+1", "1.0.0-+1", "4.0.0+v1.93.0 # managed by Abra") {
		f.Add(text, "4.0.0+v1.93.0")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		v, err := recipe.ParseVersion(a)
		if err != nil {
			require.Zero(t, v)
			return
		}
		require.Equal(t, a, v.String())
		w, err := recipe.ParseVersion(b)
		if err != nil {
			return
		}
		require.Equal(t, a == b, v.Compare(w) == 0)
		require.Equal(t, v.Compare(w), -w.Compare(v))
		three := []recipe.Version{v, w, v}
		slices.SortFunc(three, recipe.Version.Compare)
		require.Equal(t, three[1], v)
	})
}
