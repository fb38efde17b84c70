package deploy

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/trueup-go/trueup/examples/resourcesync/internal/format"
)

// containerName is a name as the original makes a container's of it.
func containerName(name string) string {
	return engineName(name, "_.-")
}

// projectName is a name as the original makes a project's or an image's of it.
func projectName(name string) string {
	return engineName(strings.ToLower(name), "_-")
}

func engineName(name, others string) string {
	isLetter := func(r rune) bool { return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }
	name = strings.Map(func(r rune) rune {
		if isLetter(r) || strings.ContainsRune(others, r) {
			return r
		}
		return '_'
	}, strings.TrimSpace(name))
	return strings.TrimLeftFunc(name, func(r rune) bool { return !isLetter(r) })
}

// fileName is a name as one of a file: no other has the same, and none leads
// elsewhere.
func fileName(name string) string {
	name = url.PathEscape(name)
	if strings.HasPrefix(name, ".") {
		name = "%2E" + name[1:]
	}
	return name
}

// unquote takes a pair of quotes off, as the shell of the original's machines does.
// Nothing else that a shell would see in a value is anything but text.
func unquote(value string) string {
	if len(value) < 2 || value[0] != value[len(value)-1] {
		return value
	}
	inner := value[1 : len(value)-1]
	switch value[0] {
	case '\'':
		return inner
	case '"':
		return strings.NewReplacer(`\"`, `"`, `\\`, `\`, `\$`, `$`, "\\`", "`").Replace(inner)
	}
	return value
}

// entries are pairs as NAME=VALUE.
func entries(pairs format.Pairs) []string {
	var all []string
	for _, p := range pairs {
		all = append(all, p.Key+"="+unquote(p.Value))
	}
	return all
}

// mappings are pairs as FROM:TO.
func mappings(pairs format.Pairs) []string {
	var all []string
	for _, p := range pairs {
		all = append(all, p.Key+":"+p.Value)
	}
	return all
}

// labels are pairs by their keys, the last of each.
func labels(pairs format.Pairs) map[string]string {
	all := map[string]string{}
	for _, p := range pairs {
		all[p.Key] = unquote(p.Value)
	}
	return all
}

// words splits a command line as a shell does, quotes and backslashes included; there
// are no variables and nothing else that it would replace.
func words(line string) ([]string, error) {
	var all []string
	var word strings.Builder
	inWord, quote := false, rune(0)
	for i, runes := 0, []rune(line); i < len(runes); i++ {
		r := runes[i]
		next := rune(0)
		if i+1 < len(runes) {
			next = runes[i+1]
		}
		switch {
		case quote == 0 && (r == ' ' || r == '\t' || r == '\n'):
			if inWord {
				all = append(all, word.String())
			}
			word.Reset()
			inWord = false
			continue
		case quote == 0 && (r == '\'' || r == '"'):
			quote = r
		case r == quote:
			quote = 0
		case r == '\\' && quote == 0 && next != 0, r == '\\' && quote == '"' && next != 0 && strings.ContainsRune("\\\"$`\n", next):
			i++
			if next == '\n' {
				continue // the line goes on
			}
			word.WriteRune(next)
		default:
			word.WriteRune(r)
		}
		inWord = true
	}
	if quote != 0 {
		return nil, fmt.Errorf("a %c is not closed", quote)
	}
	if inWord {
		all = append(all, word.String())
	}
	return all, nil
}

// arguments are the words of several command lines.
func arguments(field string, lines []string) ([]string, error) {
	var all []string
	for i, line := range lines {
		some, err := words(line)
		if err != nil {
			return nil, fmt.Errorf("%s[%d]: %w", field, i, err)
		}
		all = append(all, some...)
	}
	return all, nil
}
