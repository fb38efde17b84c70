package appsync

import (
	"iter"
	"strings"

	"github.com/trueup-go/trueup/state"
)

// edges adds what a part's fields and texts name.
func (b *builder) edges(d *draft, p *part) {
	for _, naming := range b.def.names {
		visit(p.table, naming.path, func(at, name string) any {
			if name != "" && name != "*" {
				key := state.Key{Kind: naming.kind, Name: strings.Clone(name)}
				d.edges = append(d.edges, edge{key, p.position(at)})
			}
			return name
		})
	}
	if !b.def.scans {
		return
	}
	texts(p.table, "", func(at, text string) {
		if at == readme {
			return
		}
		for _, name := range outputsIn(text) {
			d.edges = append(d.edges, edge{component(strings.Clone(name)), p.position(at)})
		}
	})
}

// outputsIn yields every component that a text takes outputs of, as in
// {{.nuon.components.NAME.outputs.address}}, and where.
func outputsIn(text string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		const root = "nuon."
		for at := 0; ; {
			i := strings.Index(text[at:], root)
			if i < 0 {
				return
			}
			start := at + i
			at = start + len(root)
			rest, ok := strings.CutPrefix(strings.TrimPrefix(text[at:], "install."), "components.")
			if !ok {
				continue
			}
			name, rest, ok := strings.Cut(rest, ".")
			if ok && name != "" && !strings.ContainsAny(name, "{}()|\"'` \t\r\n") && isWord(rest, "outputs") && !yield(start, name) {
				return
			}
		}
	}
}

// isWord tells whether a text begins with a word.
func isWord(text, word string) bool {
	rest, ok := strings.CutPrefix(text, word)
	if !ok || rest == "" {
		return ok
	}
	c := rest[0]
	return !(c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z')
}
