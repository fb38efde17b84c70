package docker

import (
	"slices"
	"strconv"
	"strings"
)

// A quiet error says nothing of what has to stay secret. It still is what it was
// to errors.Is and errors.As.
type quiet struct {
	text string
	err  error
}

func (q *quiet) Error() string { return q.text }
func (q *quiet) Unwrap() error { return q.err }

// Redact takes the values of entries NAME=VALUE out of what an error says, for who
// gives them to an Engine in other places than an environment. It still is the
// error that it was to errors.Is and errors.As.
func Redact(err error, entries ...[]string) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	hidden := hide(text, entries...)
	if hidden == text {
		return err
	}
	return &quiet{hidden, err}
}

// telling is how long a value is, in bytes, that is taken out. Shorter ones ("1",
// "yes") are in every text, and no secret.
const telling = 4

// hide puts <NAME> in place of the value of each entry NAME=VALUE in a text: the
// whole value, or a line of it, plain or as a quoted string has it.
func hide(text string, entries ...[]string) string {
	type value struct{ name, text string }
	var values []value
	for _, entry := range slices.Concat(entries...) {
		name, whole, _ := strings.Cut(entry, "=")
		for _, v := range append(strings.Split(whole, "\n"), whole) {
			quoted := strconv.Quote(v)
			for _, form := range []string{v, quoted[1 : len(quoted)-1]} {
				if len(form) >= telling {
					values = append(values, value{name, form})
				}
			}
		}
	}
	// The longest first: one may hold another.
	slices.SortStableFunc(values, func(a, b value) int { return len(b.text) - len(a.text) })
	var pairs []string
	for _, v := range values {
		pairs = append(pairs, v.text, "<"+v.name+">")
	}
	return strings.NewReplacer(pairs...).Replace(text)
}
