package appsync

import (
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
	for _, entry := range s.entries(".", ".") {
		name := entry.Name()
		isFolder, err := s.isFolder(name, entry)
		switch {
		case isFolder:
			s.top(name)
		case path.Ext(name) == ext:
			s.topFile(name)
		case errors.Is(err, errOutside) && s.place(name) != nil:
			s.mistakes.Add(s.at(name), "the folder "+why(err), "copy it in")
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

// entries lists the folder that dir leads to, but for what is hidden.
func (s *scan) entries(dir, real string) []fs.DirEntry {
	entries, err := fs.ReadDir(s.reader.fsys, real)
	if err != nil {
		s.mistakes.Add(s.at(dir), "the folder "+why(err), "")
	}
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return strings.HasPrefix(e.Name(), ".") })
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
			case errors.Is(err, errOutside):
				s.mistakes.Add(s.at(name), why(err), "copy in what it leads to")
			}
			return true
		})
		return
	}
	var folders []string
	for i := range s.places {
		if s.places[i].folder != holdsNothing {
			folders = append(folders, s.places[i].name)
		}
	}
	hint, near := "move it to the folder of its kind", diff.Nearest(name, folders)
	if near != "" {
		hint = fmt.Sprintf("did you mean the folder %s?", near)
	}
	// A folder with something else in it is the app's own: code, charts, scripts.
	var found []stray
	others := false
	s.walk(name, nil, func(name string, _ error) bool {
		if path.Ext(name) == ext {
			found = append(found, stray{name, hint})
		} else {
			others = true
		}
		return near != "" || !others
	})
	if near != "" || !others {
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
	hint := ""
	if p != nil {
		hint = fmt.Sprintf("put one file for each %s into the folder %s", p.kind, p.name)
	} else {
		var names []string
		for i := range s.places {
			if s.places[i].file != holdsNothing {
				names = append(names, s.places[i].name)
			}
		}
		if near := diff.Nearest(stem, names); near != "" {
			hint = fmt.Sprintf("did you mean %s%s?", near, ext)
		}
	}
	s.strays = append(s.strays, stray{name, hint})
}

// walk calls f with every file below a folder, and with every link that can't be
// followed and why, until f returns false; it returns whether f never did. The
// path of a file that is behind a link leads through the link. Above are the
// folders that the walk is in: a link to one of them is left alone.
func (s *scan) walk(dir string, above []string, f func(name string, err error) bool) bool {
	real, _, err := s.reader.resolve(dir)
	if err != nil || slices.Contains(above, real) {
		return err == nil || f(dir, err)
	}
	above = append(slices.Clip(above), real)
	for _, entry := range s.entries(dir, real) {
		name := path.Join(dir, entry.Name())
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
