package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// parse reads a list of breakages. Its error says in which lines what is wrong.
func parse(text string) ([]breakage, error) {
	var all []breakage
	var errs []error
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		if lines[i] == "" || lines[i][0] == '#' {
			continue
		}
		p := paragraph{b: breakage{line: i + 1}}
		for ; i < len(lines) && lines[i] != ""; i++ {
			if err := p.add(lines[i]); err != nil {
				errs = append(errs, fmt.Errorf("line %d: %w", i+1, err))
			}
		}
		if err := p.check(); err != nil {
			errs = append(errs, fmt.Errorf("line %d: %w", p.b.line, err))
		}
		all = append(all, p.b)
	}
	return all, errors.Join(errs...)
}

// paragraph is a breakage that is being read.
type paragraph struct{ b breakage }

// add takes one line.
func (p *paragraph) add(line string) error {
	b := &p.b
	switch line[0] {
	case '#':
		return nil
	case ' ':
		b.find += line[1:] + "\n"
		b.replace += line[1:] + "\n"
		return nil
	case '-':
		b.find += line[1:] + "\n"
		return nil
	case '+':
		b.replace += line[1:] + "\n"
		return nil
	}
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "promise":
		number, title, _ := strings.Cut(rest, ": ")
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 || title == "" {
			return fmt.Errorf("want \"promise NUMBER: HOW IT IS BROKEN\", found %q", line)
		}
		b.promise, b.title = n, title
	case "file":
		if !filepath.IsLocal(filepath.FromSlash(rest)) {
			return fmt.Errorf("want a file of the repository, found %q", rest)
		}
		b.file = rest
	case "test":
		b.test.pkg, b.test.pattern, _ = strings.Cut(rest, " ")
		if !strings.HasPrefix(b.test.pkg, "./") || b.test.pattern == "" {
			return fmt.Errorf("want \"test ./PACKAGE PATTERN\", found %q", line)
		}
	default:
		return fmt.Errorf("want promise, file, test or a line of the edit, found %q", line)
	}
	return nil
}

// check tells what the paragraph lacks.
func (p *paragraph) check() error {
	b := &p.b
	switch {
	case b.promise == 0:
		return errors.New("no promise is named")
	case b.file == "":
		return errors.New("no file is named")
	case b.find == "":
		return errors.New("the edit finds nothing")
	case b.find == b.replace:
		return errors.New("the edit changes nothing")
	case b.test.pkg == "":
		return errors.New("no test is named")
	}
	return nil
}
