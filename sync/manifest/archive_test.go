package manifest_test

import "strings"

// part is a file of an archive: a line "-- name --" and its text.
type part struct{ name, text string }

func parseArchive(archive string) []part {
	var parts []part
	for line := range strings.SplitAfterSeq(archive, "\n") {
		name, found := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "-- ")
		if name, end := strings.CutSuffix(name, " --"); found && end {
			parts = append(parts, part{name: name})
		} else if len(parts) > 0 {
			parts[len(parts)-1].text += line
		}
	}
	return parts
}

func formatArchive(parts []part) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString("-- " + p.name + " --\n" + p.text)
	}
	return b.String()
}
