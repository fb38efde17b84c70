package synccli

import (
	"flag"
	"net/url"
	"strings"
)

// line is the command line of another command for the same scope.
func (c *Call) line(command string, args ...string) string {
	words := []string{c.host.Name, command}
	c.flags.Visit(func(f *flag.Flag) {
		switch f.Name {
		case c.host.App.Name, "org":
			words = append(words, "--"+f.Name, quote(f.Value.String()))
		case "backend":
			words = append(words, "--backend", quote(withoutPassword(f.Value.String())))
		}
	})
	words = append(words, args...)
	for _, path := range c.Paths {
		words = append(words, quote(path))
	}
	return strings.Join(words, " ")
}

// withoutPassword returns a location without the password in it, if it is a URL.
func withoutPassword(location string) string {
	u, err := url.Parse(location)
	if err != nil || u.User == nil {
		return location
	}
	if _, has := u.User.Password(); has {
		u.User = url.User(u.User.Username())
	}
	return u.String()
}

// quote makes a word of a shell's line what it is.
func quote(word string) string {
	plain := func(r rune) bool {
		return r < 0x80 && !strings.ContainsRune("-_./:@%+=,", r) && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}
	if word != "" && !strings.ContainsFunc(word, plain) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
