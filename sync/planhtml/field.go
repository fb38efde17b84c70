package planhtml

import (
	"encoding/json"
	"strings"

	"github.com/trueup-go/trueup/diff"
)

// How much is shown of texts of several lines.
const (
	lineContext = 3
	maxLines    = 400
)

// field is a row of an entry: a value, or an old and a new one.
type field struct {
	Path      string
	Only      bool // there is a new one alone, of something that is created
	Sensitive bool
	Forced    bool   // it is why the resource is replaced
	Drift     string // what was changed behind our back
	Old, New  *side  // nil: none
	Lines     []line // in their place
}

// side is a value.
type side struct {
	Text    string
	Block   bool // it has several lines
	Default bool
}

// line is one of a text of several lines.
type line struct {
	Op       diff.LineOp
	Old, New int // its number, 0 where it isn't
	Text     string
	Omitted  int
}

func (e *entry) fields(fields, forced []diff.Field) {
	isForced := map[string]bool{}
	for _, f := range forced {
		isForced[f.Path] = true
	}
	for _, f := range fields {
		if e.Op == diff.OpCreate && f.Path == "type" {
			continue // it stands beside the name
		}
		row := fieldOf(f)
		row.Only, row.Forced = e.Op == diff.OpCreate, isForced[f.Path]
		e.Fields = append(e.Fields, row)
	}
}

func fieldOf(f diff.Field) field {
	row := field{Path: diff.ShortPath(f.Path), Sensitive: f.Sensitive}
	was := f.Old
	if f.Drifted {
		was, row.Drift = f.Live, "changed behind our back"
		if old := sideOf(f.Old, f.Default); old != nil && !f.Sensitive && !old.Block {
			row.Drift += "; recorded " + old.Text
		}
	}
	if f.Sensitive {
		return row
	}
	before, isText := textOf(was)
	after, areTexts := textOf(f.New)
	if isText && areTexts && strings.Contains(before+after, "\n") {
		for _, l := range diff.Shorten(diff.Lines(before, after), lineContext, maxLines) {
			row.Lines = append(row.Lines, line{l.Op, l.Old, l.New, diff.EscapeLine(strings.TrimSuffix(l.Text, "\n")), l.Omitted})
		}
		return row
	}
	row.Old, row.New = sideOf(was, f.Default), sideOf(f.New, f.Default)
	return row
}

// sideOf returns one side of a field, nil if it is absent and has no default.
func sideOf(value, def json.RawMessage) *side {
	isDefault := value == nil
	if isDefault {
		value = def
	}
	if value == nil {
		return nil
	}
	text, ok := textOf(value)
	if !ok || !strings.Contains(text, "\n") {
		return &side{Text: diff.Escape(string(value)), Default: isDefault}
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i := range lines {
		lines[i] = diff.EscapeLine(lines[i])
	}
	return &side{Text: strings.Join(lines, "\n"), Block: true, Default: isDefault}
}

// textOf returns the value if it is text.
func textOf(value json.RawMessage) (text string, ok bool) {
	ok = len(value) > 0 && value[0] == '"' && json.Unmarshal(value, &text) == nil
	return text, ok
}
