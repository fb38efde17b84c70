package appsync

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/diff"
)

const ext = ".toml"

// file is a .toml file of the config directory that declares something.
type file struct {
	path  string
	place *place
	holds content
}

// scan is what is found in a config directory.
type scan struct {
	*loader
	files  []file
	strays []stray
}

// stray is a .toml file that belongs to no kind.
type stray struct{ path, hint string }

// scan lists the files of the config directory, in order of their paths, and
// reports those that have to be there and are not.
func (l *loader) scan() *scan {
	s := &scan{loader: l}
	entries, err := s.entries(".")
	if err != nil {
		s.mistakes.Add(s.at("."), "the folder "+why(err), "")
	}
	for _, entry := range entries {
		name := entry.Name()
		isFolder, err := s.isFolder(name, entry)
		switch {
		case isFolder:
			s.top(name)
		case path.Ext(name) == ext:
			s.topFile(name)
		case errors.Is(err, errOutside) && s.place(name) != nil:
			s.mistakes.Add(s.at(name), "the folder "+why(err), "")
		}
	}
	slices.SortFunc(s.files, func(a, b file) int { return strings.Compare(a.path, b.path) })
	for i := range s.places {
		p := &s.places[i]
		there := slices.ContainsFunc(s.files, func(f file) bool { return f.place == p })
		if p.required && !there {
			s.mistakes.Add(s.at(p.name+ext), "the file is not there", "every app has one")
		}
	}
	return s
}

// entries lists a folder, but for what is hidden.
func (s *scan) entries(dir string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(s.reader.fsys, dir)
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return strings.HasPrefix(e.Name(), ".") }), err
}

// isFolder tells whether an entry is a folder, or a link to one. The error says
// why a link can't be followed.
func (s *scan) isFolder(name string, entry fs.DirEntry) (bool, error) {
	if entry.Type()&fs.ModeSymlink == 0 {
		return entry.IsDir(), nil
	}
	_, info, err := s.reader.resolve(name)
	return err == nil && info.IsDir(), err
}

// top looks at a folder at the top.
func (s *scan) top(name string) {
	if p := s.place(name); p != nil && p.folder != holdsNothing {
		s.walk(name, nil, func(name string, err error) bool {
			switch {
			case path.Ext(name) == ext:
				s.files = append(s.files, file{path: name, place: p, holds: p.folder})
			case err != nil && path.Ext(name) == "" && !errors.Is(err, fs.ErrNotExist):
				// It may be a folder of declarations. Other files are read when they
				// are named.
				s.mistakes.Add(s.at(name), "the folder "+why(err), "")
			}
			return true
		})
		return
	}
	hint, near := s.suggest(name, func(p *place) bool { return p.folder != holdsNothing }, "/")
	// A folder with something else in it is the app's own: code, charts, scripts.
	var found []stray
	others := false
	s.walk(name, nil, func(name string, _ error) bool {
		if path.Ext(name) == ext {
			found = append(found, stray{name, hint})
		} else {
			others = true
		}
		return near || !others
	})
	if near || !others {
		s.strays = append(s.strays, found...)
	}
}

// topFile looks at a .toml file at the top.
func (s *scan) topFile(name string) {
	stem := strings.TrimSuffix(name, ext)
	p := s.place(stem)
	if p != nil && p.file != holdsNothing {
		s.files = append(s.files, file{path: name, place: p, holds: p.file})
		return
	}
	hint, _ := s.suggest(stem, func(p *place) bool { return p.file != holdsNothing }, ext)
	if p != nil {
		hint = fmt.Sprintf("put one file for each %s into %s/", p.kind, p.name)
	}
	s.strays = append(s.strays, stray{name, hint})
}

// suggest returns a hint at which of the places with a form may be meant, which
// are written with an ending, and whether one is near.
func (s *scan) suggest(name string, form func(*place) bool, ending string) (hint string, near bool) {
	var names []string
	meant := ""
	for i := range s.places {
		p := &s.places[i]
		if !form(p) {
			continue
		}
		names = append(names, p.name)
		if name == p.kind || name == p.kind+"s" {
			meant = p.name
		}
	}
	if meant = cmp.Or(meant, diff.Nearest(name, names)); meant != "" {
		return fmt.Sprintf("did you mean %s%s?", meant, ending), true
	}
	return "known are " + strings.Join(names, ending+", ") + ending, false
}

// walk calls f with every file below a folder, and with everything that can't be
// followed or listed and why, until f returns false; it returns whether f never
// did. The path of a file that is behind a link leads through the link. Above are
// the folders that the walk is in: a link to one of them is left alone.
func (s *scan) walk(dir string, above []string, f func(name string, err error) bool) bool {
	real, _, err := s.reader.resolve(dir)
	if err != nil || slices.Contains(above, real) {
		return err == nil || f(dir, err)
	}
	entries, err := s.entries(real)
	if err != nil && !f(dir, err) {
		return false
	}
	above = append(slices.Clip(above), real)
	for _, entry := range entries {
		name := path.Join(dir, entry.Name())
		if entry.Type().IsRegular() {
			s.reader.listed[path.Join(real, entry.Name())] = true
		}
		isFolder, err := s.isFolder(name, entry)
		if isFolder && !s.walk(name, above, f) || !isFolder && !f(name, err) {
			return false
		}
	}
	return true
}

// unclaimed reports the strays that no other file names either.
func (s *scan) unclaimed() {
	for _, stray := range s.strays {
		if !s.reader.wasNamed(stray.path) {
			s.mistakes.Add(s.at(stray.path), "the file belongs to no kind", stray.hint)
		}
	}
}
