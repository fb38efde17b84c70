package format

import "strings"

// Command makes one shell command of the lines of a text: each has to succeed for
// the next to run.
//
//	# comments and empty lines are left out
//	cd app          # so is this
//	make build \
//	  VERSION=1
//
// is "cd app && make build VERSION=1". A backslash at the end of a line continues
// it; comments and empty lines in between do not end it. Anywhere else a
// backslash is left alone, as is a # in quotes; the original drops both. What
// spans lines in other ways, as if and quotes do, needs a shell script instead.
// No lines make an empty command.
func Command(text string) string {
	var commands []string
	continues := false
	for line := range strings.SplitSeq(text, "\n") {
		trimmed := strings.TrimSpace(line)
		if isComment(trimmed) {
			continue
		}
		trimmed = strings.TrimSpace(cutComment(trimmed))
		rest, more := continued(trimmed)
		if continues {
			last := &commands[len(commands)-1]
			*last = joined(*last, rest, isBlank(line[0]))
		} else {
			commands = append(commands, rest)
		}
		continues = more
	}
	all := commands[:0]
	for _, command := range commands {
		if command = strings.TrimSpace(command); command != "" {
			all = append(all, command)
		}
	}
	return strings.Join(all, " && ")
}

// continued takes the backslash off the end of a line that goes on in the next: an
// odd number of them.
func continued(line string) (rest string, more bool) {
	backslashes := len(line) - len(strings.TrimRight(line, `\`))
	if backslashes%2 == 0 {
		return line, false
	}
	return line[:len(line)-1], true
}

// joined puts two parts of a line together, with one space if there was any.
func joined(a, b string, indented bool) string {
	if trimmed := strings.TrimRight(a, " \t"); indented || trimmed != a {
		return trimmed + " " + b
	}
	return a + b
}
