package diff

import "strings"

// LineOp says what becomes of a line.
type LineOp string

// The ops of lines.
const (
	LineSame    LineOp = " "
	LineRemoved LineOp = "-"
	LineAdded   LineOp = "+"
	// LineOmitted stands for lines that are left out; see Shorten.
	LineOmitted LineOp = "…"
)

// Line is a line of one text, or of two that were compared.
type Line struct {
	Op LineOp
	// Text is the line with its line end, which the last of a text may lack. It is
	// as it came: whoever shows it escapes it.
	Text string
	// Old and New are the line's number in each text, from 1; 0 where it isn't.
	Old, New int
	// Omitted is how many lines are left out, if that is the Op.
	Omitted int
}

// Lines compares two texts line by line. What is the same or removed makes up
// the old text, what is the same or added the new one. Of a stretch that differs
// the removed lines come first. It is deterministic, and takes time in proportion
// to n log n.
func Lines(old, desired string) []Line {
	olds, news := splitLines(old), splitLines(desired)
	lines := make([]Line, 0, max(len(olds), len(news)))
	to := align(olds, news)
	j := 0
	added := func(end int) {
		for ; j < end; j++ {
			lines = append(lines, Line{Op: LineAdded, Text: news[j], New: j + 1})
		}
	}
	for i, at := range to {
		if at < 0 {
			lines = append(lines, Line{Op: LineRemoved, Text: olds[i], Old: i + 1})
			continue
		}
		added(at)
		lines = append(lines, Line{Op: LineSame, Text: olds[i], Old: i + 1, New: at + 1})
		j = at + 1
	}
	added(len(news))
	return lines
}

func splitLines(text string) []string {
	lines := strings.SplitAfter(text, "\n")
	if last := len(lines) - 1; lines[last] == "" {
		lines = lines[:last]
	}
	return lines
}

// Shorten leaves out what nobody wants to see of compared lines: unchanged ones
// farther than context lines from a change, and all that comes after limit
// lines. A LineOmitted says how many there were. Neither number may be negative.
func Shorten(lines []Line, context, limit int) []Line {
	near := make([]bool, len(lines))
	last := -1 - context // the last line that changes
	for i := range lines {
		if lines[i].Op != LineSame {
			for k := max(0, i-context, last+1); k <= i; k++ {
				near[k] = true
			}
			last = i
		}
		near[i] = near[i] || i-last <= context
	}
	var short []Line
	for i := 0; i < len(lines); {
		end := i
		for end < len(lines) && !near[end] {
			end++
		}
		switch {
		case len(short) == limit:
			return append(short, Line{Op: LineOmitted, Omitted: len(lines) - i})
		case end > i+1:
			short = append(short, Line{Op: LineOmitted, Omitted: end - i})
			i = end
		default: // one line is as short as saying that it is left out
			short = append(short, lines[i])
			i++
		}
	}
	return short
}
