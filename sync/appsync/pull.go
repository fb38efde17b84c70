package appsync

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// pull reads in the files that fields name. It returns the one that the draft is
// named after, if there is one.
func (b *builder) pull(d *draft, p *part) (named string) {
	for _, field := range b.def.pulls {
		visit(p.table, field, func(at, text string) any {
			if !namesFile(text) {
				return text
			}
			if field == b.def.namedAfter {
				named = text
			}
			found, contents, err := b.reader.find(p.path, text, p.also)
			switch {
			case errors.Is(err, fs.ErrNotExist) && field == readme:
				b.warn(p.position(at), fmt.Sprintf("the readme %s is not there and is left out", text))
				p.config = nil
				return nil
			case errors.Is(err, fs.ErrNotExist):
				b.mistake(p.position(at), fmt.Sprintf("the file %s is not there", text), lookedIn(foldersAbove(p.path, p.also)))
			case err != nil:
				b.mistake(p.position(at), fmt.Sprintf("the file %s %s", text, why(err)), "")
			case b.def.scans && field != readme:
				for offset, name := range outputsIn(contents) {
					d.edges = append(d.edges, edge{component(strings.Clone(name)), within(b.label(found), contents, offset)})
				}
			}
			p.config = nil
			return contents
		})
	}
	return named
}

func lookedIn(dirs []string) string {
	if i := slices.Index(dirs, "."); i >= 0 {
		dirs[i] = "the config directory"
	}
	return "looked in " + strings.Join(dirs, ", ")
}

// namesFile tells whether a field that may name a file does.
func namesFile(text string) bool {
	return (strings.HasPrefix(text, "./") || strings.HasPrefix(text, "../")) && !strings.Contains(text, "\n")
}

func component(name string) state.Key { return state.Key{Kind: KindComponent, Name: name} }

// within returns the position of a byte of a file.
func within(name, contents string, offset int) sync.Position {
	line := strings.LastIndexByte(contents[:offset], '\n') + 1
	return sync.Position{File: name, Line: 1 + strings.Count(contents[:offset], "\n"), Col: 1 + offset - line}
}
