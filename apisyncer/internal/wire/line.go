package wire

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/trueup-go/trueup/state"
)

// Line is one line of a stream: one of its members is there.
type Line struct {
	Head     *Head           `json:"head,omitempty"`
	Record   *state.Record   `json:"record,omitempty"`
	Resource *state.Resource `json:"resource,omitempty"`
	Live     *Live           `json:"live,omitempty"`
	Event    *Event          `json:"event,omitempty"`
	Result   *Result         `json:"result,omitempty"`
	// End says that this is the last line, and how many were before it. Problem says
	// why there are no more: it is the last line, too.
	End     *int     `json:"end,omitempty"`
	Problem *Problem `json:"problem,omitempty"`
}

// recordBegins begins a line with a record: of those there are many, and they are
// written and read without a detour.
const recordBegins = `{"record":`

// Append appends the line, and what ends it.
func (l *Line) Append(dst []byte) ([]byte, error) {
	if l.Record == nil {
		text, err := json.Marshal(l)
		return append(append(dst, text...), '\n'), err
	}
	dst, err := l.Record.AppendJSON(append(dst, recordBegins...))
	return append(dst, '}', '\n'), err
}

// Decode decodes the text of a line. Members that it doesn't know are left out: a newer
// server has more to say.
func (l *Line) Decode(text []byte) error {
	*l = Line{}
	text = bytes.TrimSpace(text)
	if inner, found := bytes.CutPrefix(text, []byte(recordBegins)); found {
		var record state.Record
		if inner, found = bytes.CutSuffix(inner, []byte("}")); found && record.UnmarshalJSON(inner) == nil {
			l.Record = &record
			return nil
		}
	}
	return json.Unmarshal(text, l)
}

// ReadLine returns the next line, valid until the next call, as long as it may be: who
// reads what is not bounded elsewhere bounds it. The last one needs no end.
func ReadLine(lines *bufio.Reader) ([]byte, error) {
	text, err := lines.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		if len(text) > 0 && errors.Is(err, io.EOF) {
			err = nil
		}
		return text, err
	}
	whole := bytes.Clone(text)
	rest, err := lines.ReadBytes('\n')
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return append(whole, rest...), err
}
