package state

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// An encoded State is one JSON document: the Head's members, then "records", a
// list of {"record": …, "sum": …}, one a line. The sum is the checksum of the
// record's canonical JSON, so that a State that was changed by hand or by a bad
// disk is refused, and the error names the record.

// ErrNewerVersion is in the error for a State that a newer release wrote.
var ErrNewerVersion = errors.New("written by a newer version of trueup: upgrade this program")

// ChecksumError says that a part of an encoded State doesn't fit its checksum.
type ChecksumError struct {
	// Key is the record's. Zero if it is the roots or the counts that don't fit
	// the records, each of which is whole: some are missing, or are too many.
	Key Key
	// Want is the checksum that was written, Got that of what is there.
	Want, Got Checksum
}

// Error names the record and what to do.
func (e *ChecksumError) Error() string {
	if e.Key.IsZero() {
		return fmt.Sprintf("the State's records don't fit its root %s (they make %s): records are missing or too many; restore it from a copy", e.Want, e.Got)
	}
	return fmt.Sprintf("the record of %s doesn't fit its checksum %s (it makes %s): it was changed after it was written; restore it from a copy", e.Key, e.Want, e.Got)
}

// An Encoder writes a State, record by record.
type Encoder struct {
	w       *bufio.Writer
	buf     []byte
	records int
}

// NewEncoder writes the head to w and returns an Encoder for its records.
func NewEncoder(w io.Writer, head Head) (*Encoder, error) {
	if err := checkVersion(head.Version); err != nil {
		return nil, err
	}
	header, err := json.MarshalIndent(head, "", " ")
	if err != nil {
		return nil, fmt.Errorf("encode the head of %s: %w", head.Scope, err)
	}
	e := &Encoder{w: bufio.NewWriterSize(w, 1<<16)}
	e.w.Write(bytes.TrimSuffix(header, []byte("\n}")))
	e.w.WriteString(",\n \"records\": [")
	return e, nil
}

// Write writes the next record, in key order.
func (e *Encoder) Write(r *Record) error {
	b := append(e.buf[:0], ",\n{\"record\":"...)
	if e.records == 0 {
		b = append(b[:0], "\n{\"record\":"...)
	}
	start := len(b)
	b, err := r.AppendJSON(b)
	if err != nil {
		return err
	}
	sum := Sum(b[start:])
	b = append(sum.AppendText(append(b, `,"sum":"`...)), `"}`...)
	e.buf = b
	e.records++
	_, err = e.w.Write(b)
	return err
}

// Close ends the document and flushes it. It doesn't close the writer below.
func (e *Encoder) Close() error {
	e.w.WriteString("\n]}\n")
	return e.w.Flush() // a bufio.Writer keeps the first error
}

// Encode writes the whole State to w. It computes the head's roots and counts
// from the records and sets the version, so that what it writes is whole.
func (s *State) Encode(w io.Writer) error {
	head, err := Seal(s.Head, s.Records)
	if err != nil {
		return err
	}
	e, err := NewEncoder(w, head)
	if err != nil {
		return err
	}
	for i := range s.Records {
		if err := e.Write(&s.Records[i]); err != nil {
			return err
		}
	}
	return e.Close()
}

// Seal returns head with its version, roots and counts as the records, in key
// order, make them.
func Seal(head Head, records []Record) (Head, error) {
	tally, err := tallyOf(records)
	if err != nil {
		return head, err
	}
	return tally.Seal(head), nil
}

// checkVersion refuses what this package can't read.
func checkVersion(version string) error {
	switch version {
	case DefaultStateVersion, versionBare:
		return nil
	case "":
		return errors.New("the State names no version")
	}
	return fmt.Errorf("a State of version %q; this program reads up to %q: %w", version, DefaultStateVersion, ErrNewerVersion)
}

// versionBare is the version before DefaultStateVersion: neither sums nor roots
// nor counts, as a person or an importer writes it. Reading it computes them.
const versionBare = "v0"
