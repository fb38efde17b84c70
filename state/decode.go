package state

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
)

// A Decoder reads an encoded State: the head at once, the records one by one.
// The layout of the JSON is free, as long as the records come last.
type Decoder struct {
	source io.Reader
	json   *json.Decoder
	head   Head
	bare   bool
	raw    json.RawMessage // the entry that is being read
	// lines are the records as long as they stand as Encoder left them, a line
	// each; then nil. fast counts them.
	lines *bufio.Reader
	fast  int
}

// NewDecoder reads the head of the encoded State in r.
func NewDecoder(r io.Reader) (*Decoder, error) {
	d := &Decoder{source: r, json: json.NewDecoder(r)}
	if err := d.readHead(); err != nil {
		return nil, fmt.Errorf("decode a State: %w", noEOF(err))
	}
	return d, nil
}

// Head returns the head. Reading all records verifies it.
func (d *Decoder) Head() Head { return d.head }

func (d *Decoder) readHead() error {
	if err := d.delim('{'); err != nil {
		return err
	}
	members := map[string]json.RawMessage{}
	for d.json.More() {
		token, err := d.json.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string)
		if name == "records" {
			return d.buildHead(members)
		}
		var value json.RawMessage
		if err := d.json.Decode(&value); err != nil {
			return err
		}
		if _, twice := members[name]; twice {
			return fmt.Errorf("the member %q stands twice", name)
		}
		members[name] = value
	}
	if err := checkMembersVersion(members); err != nil {
		return err
	}
	return errors.New("it has no records")
}

func checkMembersVersion(members map[string]json.RawMessage) error {
	var version string
	if raw, ok := members["version"]; ok {
		if err := json.Unmarshal(raw, &version); err != nil {
			return fmt.Errorf("version: %w", err)
		}
	}
	return checkVersion(version)
}

func (d *Decoder) buildHead(members map[string]json.RawMessage) error {
	if err := checkMembersVersion(members); err != nil {
		return err
	}
	joined, err := json.Marshal(members)
	if err != nil {
		return err
	}
	if err := strictUnmarshal(joined, &d.head); err != nil {
		return fmt.Errorf("head: %w", err)
	}
	if err := d.head.Scope.Validate(); err != nil {
		return err
	}
	if d.head.Serial < 0 {
		return fmt.Errorf("serial %d is below zero", d.head.Serial)
	}
	d.bare = d.head.Version == versionBare
	d.head.Version = DefaultStateVersion
	return d.delim('[')
}

func (d *Decoder) delim(want json.Delim) error {
	token, err := d.json.Token()
	if err != nil {
		return err
	}
	if token != want {
		return fmt.Errorf("want %q, found %v", want, token)
	}
	return nil
}

type entryJSON struct {
	Record json.RawMessage `json:"record"`
	Sum    Checksum        `json:"sum"`
}

// Records yields the records in key order. After the last one the head's roots
// and counts are verified; what doesn't fit is a *ChecksumError. It ends after
// the first error. It can be ranged over once.
func (d *Decoder) Records() iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		d.lines = bufio.NewReaderSize(io.MultiReader(d.json.Buffered(), d.source), 1<<16)
		var tally orderly
		for {
			r, sum, err := d.next()
			if errors.Is(err, errNoMore) {
				break
			}
			if err == nil {
				err = tally.add(&r, sum)
			}
			if err != nil {
				yield(Record{}, fmt.Errorf("decode a State: %w", noEOF(err)))
				return
			}
			if !yield(r, nil) {
				return
			}
		}
		if err := d.finish(&tally.Tally); err != nil {
			yield(Record{}, fmt.Errorf("decode a State: %w", noEOF(err)))
		}
	}
}

var errNoMore = errors.New("no more records")

// next returns the next record, or errNoMore.
func (d *Decoder) next() (Record, Checksum, error) {
	if d.lines != nil {
		r, sum, ok, err := d.nextLine()
		if ok || err != nil {
			return r, sum, err
		}
	}
	if !d.json.More() {
		return Record{}, Checksum{}, errNoMore
	}
	d.raw = d.raw[:0]
	if err := d.json.Decode(&d.raw); err != nil {
		return Record{}, Checksum{}, err
	}
	if r, sum, ok := fastEntry(d.raw); ok {
		return r, sum, nil
	}
	var entry entryJSON
	if err := json.Unmarshal(d.raw, &entry); err != nil {
		return Record{}, Checksum{}, err
	}
	var r Record
	if len(entry.Record) == 0 {
		return r, Checksum{}, errors.New("an entry without a record")
	}
	if err := json.Unmarshal(entry.Record, &r); err != nil {
		return r, Checksum{}, err
	}
	sum, err := r.sum()
	if err != nil {
		return r, sum, err
	}
	if sum != entry.Sum && !d.bare {
		return r, sum, &ChecksumError{Key: r.Key, Want: entry.Sum, Got: sum}
	}
	return r, sum, nil
}

// nextLine returns the record that the next line holds. At the first that isn't
// simply a record with a comma, the last record at the latest, it leaves the rest
// to the parser.
func (d *Decoder) nextLine() (r Record, sum Checksum, ok bool, err error) {
	line, err := d.lines.ReadSlice('\n')
	if err == nil && len(line) == 1 && d.fast == 0 {
		line, err = d.lines.ReadSlice('\n') // the first is behind the bracket
	}
	if entry, whole := bytes.CutSuffix(line, []byte(",\n")); whole && err == nil {
		if r, sum, ok = fastEntry(entry); ok {
			d.fast++
			return r, sum, true, nil
		}
	}
	rest := io.MultiReader(strings.NewReader(`{"records":[`), bytes.NewReader(bytes.Clone(line)), d.lines)
	d.json, d.lines = json.NewDecoder(rest), nil
	for range 3 { // what was read before: the bracket, the name, the bracket
		if _, err := d.json.Token(); err != nil {
			return r, sum, false, err
		}
	}
	if d.fast > 0 && !d.json.More() {
		return r, sum, false, errors.New("want a record after a comma")
	}
	return r, sum, false, nil
}

// fastEntry reads an entry that is as Encoder.Write left it: the common case. The
// sum over the record's bytes says that it is.
func fastEntry(raw json.RawMessage) (r Record, sum Checksum, ok bool) {
	const infix = len(`,"sum":"sha256:"}`) + 64
	record, isEntry := bytes.CutPrefix(raw, []byte(`{"record":`))
	if !isEntry || len(record) < infix {
		return r, sum, false
	}
	record, rest := record[:len(record)-infix], record[len(record)-infix:]
	if sum.UnmarshalText(rest[len(`,"sum":"`):len(rest)-len(`"}`)]) != nil || Sum(record) != sum {
		return r, sum, false
	}
	r, ok = fastRecord(record)
	return r, sum, ok
}

func (d *Decoder) finish(tally *Tally) error {
	if err := d.delim(']'); err != nil {
		return err
	}
	if err := d.delim('}'); err != nil {
		return err
	}
	if _, err := d.json.Token(); err == nil {
		return errors.New("something follows its end")
	} else if !errors.Is(err, io.EOF) {
		return err
	}
	if d.bare {
		d.head = tally.Seal(d.head)
		return nil
	}
	return tally.Fits(&d.head)
}

// Decode reads a whole State from r and verifies it. A State of an older
// version is upgraded; one of a newer version is an error for which
// errors.Is(err, ErrNewerVersion).
func Decode(r io.Reader) (*State, error) {
	d, err := NewDecoder(r)
	if err != nil {
		return nil, err
	}
	var s State
	for record, err := range d.Records() {
		if err != nil {
			return nil, err
		}
		s.Records = append(s.Records, record)
	}
	s.Head = d.Head()
	return &s, nil
}

// noEOF makes the end of a document that is cut off an error that can't be taken
// for the end of a stream.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
