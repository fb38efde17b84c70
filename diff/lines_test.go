package diff_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
)

// unified shows lines as a unified diff does: with their numbers in both texts.
func unified(lines []diff.Line) string {
	var b strings.Builder
	for _, line := range lines {
		text := strings.TrimSuffix(line.Text, "\n")
		if line.Op == diff.LineOmitted {
			text = fmt.Sprint(line.Omitted)
		}
		fmt.Fprintf(&b, "%s%s %d,%d\n", line.Op, text, line.Old, line.New)
	}
	return b.String()
}

func TestLines(t *testing.T) {
	t.Parallel()
	require.Empty(t, diff.Lines("", ""))
	require.Equal(t, " a 1,1\n", unified(diff.Lines("a\n", "a\n")))
	require.Equal(t, "+a 0,1\n+b 0,2\n", unified(diff.Lines("", "a\nb")))
	require.Equal(t, "-a 1,0\n+a 0,1\n", unified(diff.Lines("a", "a\n")))
	require.Equal(t, " a 1,1\n-b 2,0\n-c 3,0\n+x 0,2\n d 4,3\n+e 0,4\n", unified(diff.Lines("a\nb\nc\nd\n", "a\nx\nd\ne\n")))
}

// Where nothing stands just once, each is compared with each.
func TestLinesThatAreAllRepeated(t *testing.T) {
	t.Parallel()
	require.Equal(t, "-1 1,0\n-1 2,0\n+3 0,1\n+3 0,2\n 2 3,3\n 2 4,4\n+1 0,5\n+1 0,6\n",
		unified(diff.Lines("1\n1\n2\n2\n", "3\n3\n2\n2\n1\n1\n")))
}

// The function that is added is shown as such, and not its braces as changed.
func TestLinesFindsWhatPeopleTakeForTheSame(t *testing.T) {
	t.Parallel()
	got := unified(diff.Lines("func a() {\n}\n\nfunc c() {\n}\n", "func a() {\n}\n\nfunc b() {\n}\n\nfunc c() {\n}\n"))
	require.Equal(t, " func a() { 1,1\n } 2,2\n  3,3\n+func b() { 0,4\n+} 0,5\n+ 0,6\n func c() { 4,7\n } 5,8\n", got)
}

func TestShorten(t *testing.T) {
	t.Parallel()
	numbers := func(n int, other string) string {
		var b strings.Builder
		for i := range n {
			if i == n/2 {
				b.WriteString(other)
			}
			fmt.Fprintln(&b, i)
		}
		return b.String()
	}
	lines := diff.Lines(numbers(10, "x\n"), numbers(10, "y\n"))
	require.Equal(t, "…4 0,0\n 4 5,5\n-x 6,0\n+y 0,6\n 5 7,7\n…4 0,0\n", unified(diff.Shorten(lines, 1, 100)))
	require.Equal(t, "…4 0,0\n 4 5,5\n-x 6,0\n…6 0,0\n", unified(diff.Shorten(lines, 1, 3)))
	require.Equal(t, lines, diff.Shorten(lines, 4, 100), "one line is not worth leaving out")
	require.Equal(t, "…5 0,0\n-x 6,0\n+y 0,6\n…5 0,0\n", unified(diff.Shorten(lines, 0, 100)))
	require.Equal(t, "…10 0,0\n", unified(diff.Shorten(diff.Lines(numbers(10, ""), numbers(10, "")), 3, 100)))
	require.Empty(t, diff.Shorten(nil, 3, 0))
}

// FuzzLines holds: the lines make up both texts, and nothing is lost when they
// are shortened.
func FuzzLines(f *testing.F) {
	f.Add("a\nb\nc\n", "a\nc\nd", 1, 5)
	f.Add("\n\n\r\n", "\r\n\n", 0, 1)
	f.Fuzz(func(t *testing.T, old, desired string, context, limit int) {
		context, limit = context&0xff, limit&0xff
		lines := diff.Lines(old, desired)
		var before, after strings.Builder
		olds, news, same := 0, 0, 0
		for _, line := range lines {
			if line.Op != diff.LineAdded {
				before.WriteString(line.Text)
				olds++
				require.Equal(t, olds, line.Old)
			}
			if line.Op != diff.LineRemoved {
				after.WriteString(line.Text)
				news++
				require.Equal(t, news, line.New)
			}
			if line.Op == diff.LineSame {
				same++
			}
		}
		require.Equal(t, old, before.String())
		require.Equal(t, desired, after.String())
		require.Equal(t, old == desired, same == len(lines))
		short := diff.Shorten(lines, context, limit)
		require.LessOrEqual(t, len(short), limit+1)
		next := 0
		for _, line := range short {
			if line.Op == diff.LineOmitted {
				require.Positive(t, line.Omitted)
				next += line.Omitted
				continue
			}
			require.Equal(t, lines[next], line)
			next++
		}
		require.Equal(t, len(lines), next)
	})
}
