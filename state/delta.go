package state

import (
	"encoding/json"
	"errors"
	"fmt"
)

// DeltaError says that a delta can't be committed: it is wrong by itself, or doesn't fit
// what is recorded. What is recorded is well; whoever made the delta made a mistake.
type DeltaError struct{ Err error }

// Error implements error.
func (e *DeltaError) Error() string { return fmt.Sprintf("the delta can't be committed: %v", e.Err) }

// Unwrap returns the cause.
func (e *DeltaError) Unwrap() error { return e.Err }

// Validate returns what is wrong with the delta by itself, if it is to be committed to
// a scope: it is another scope's, or of another version, isn't in key order, names a
// key twice, or one that can't be a key. The error is a *DeltaError. What it does to the
// records is another matter; see Apply.
func (d *Delta) Validate(scope Scope) error {
	if err := d.validate(scope); err != nil {
		return &DeltaError{err}
	}
	return nil
}

func (d *Delta) validate(scope Scope) error {
	switch {
	case d.Head.Scope != scope:
		return fmt.Errorf("it is one of %s", d.Head.Scope)
	case d.Head.Version != DefaultStateVersion:
		return fmt.Errorf("it is of version %q; want %q", d.Head.Version, DefaultStateVersion)
	}
	dropped := d.Dropped
	for i := range d.Records {
		key := d.Records[i].Key
		if err := key.Validate(); err != nil {
			return err
		}
		if i > 0 && d.Records[i-1].Compare(key) >= 0 {
			return fmt.Errorf("the records %s and %s are not in key order", d.Records[i-1].Key, key)
		}
		for len(dropped) > 0 && dropped[0].Compare(key) < 0 {
			dropped = dropped[1:]
		}
		if len(dropped) > 0 && dropped[0] == key {
			return fmt.Errorf("it both records and drops %s", key)
		}
	}
	for i := range d.Dropped {
		if err := d.Dropped[i].Validate(); err != nil {
			return err
		}
		if i > 0 && d.Dropped[i-1].Compare(d.Dropped[i]) >= 0 {
			return errors.New("the keys that it drops are not in key order")
		}
	}
	return nil
}

// Apply returns the records after the delta: base and the delta's records in
// key order, without what is dropped or replaced. It verifies that they fit the
// delta's head, as a Decoder does; if the roots don't, the error is a *DeltaError with
// a *ChecksumError.
func (d *Delta) Apply(base []Record) ([]Record, error) {
	merged := make([]Record, 0, len(base)+len(d.Records))
	dropped := d.Dropped
	records := d.Records
	for i := range base {
		for len(records) > 0 && records[0].Compare(base[i].Key) < 0 {
			merged, records = append(merged, records[0]), records[1:]
		}
		for len(dropped) > 0 && dropped[0].Compare(base[i].Key) < 0 {
			dropped = dropped[1:]
		}
		if len(records) > 0 && records[0].Key == base[i].Key {
			continue // the delta's follows
		}
		if len(dropped) > 0 && dropped[0] == base[i].Key {
			continue
		}
		merged = append(merged, base[i])
	}
	merged = append(merged, records...)
	tally, err := tallyOf(merged)
	if err != nil {
		return nil, err
	}
	if err := tally.Fits(&d.Head); err != nil {
		return nil, &DeltaError{err}
	}
	return merged, nil
}

type deltaJSON struct {
	Head     Head       `json:"head"`
	Records  []Record   `json:"records"`
	Dropped  []keyText  `json:"dropped"`
	Declared []Resource `json:"declared"`
}

// MarshalJSON implements json.Marshaler; see AppendJSON.
func (d Delta) MarshalJSON() ([]byte, error) { return d.AppendJSON(nil) }

// AppendJSON appends the delta as one JSON object without white space: the head,
// then what is not empty of records, dropped and declared, in canonical form.
func (d *Delta) AppendJSON(dst []byte) ([]byte, error) {
	head, err := json.Marshal(d.Head)
	if err != nil {
		return nil, fmt.Errorf("encode the head of %s: %w", d.Head.Scope, err)
	}
	w := newObject(dst)
	w.name("head")
	w.b = append(w.b, head...)
	if len(d.Records) > 0 {
		w.list("records", len(d.Records), func(i int) { w.append(d.Records[i].AppendJSON) })
	}
	w.keys("dropped", d.Dropped)
	if len(d.Declared) > 0 {
		w.list("declared", len(d.Declared), func(i int) { w.append(d.Declared[i].AppendJSON) })
	}
	return w.end()
}

// append appends what appendJSON appends.
func (w *objectWriter) append(appendJSON func([]byte) ([]byte, error)) {
	b, err := appendJSON(w.b)
	if err != nil {
		w.err = err
		return
	}
	w.b = b
}

// UnmarshalJSON reads what MarshalJSON wrote. Unknown members are errors, and so
// is a version that is newer than this program's.
func (d *Delta) UnmarshalJSON(data []byte) error {
	if fast, ok := fastDelta(data); ok {
		*d = fast
		return nil
	}
	var version struct{ Head struct{ Version string } }
	if err := json.Unmarshal(data, &version); err != nil {
		return fmt.Errorf("decode a delta: %w", err)
	}
	if err := checkVersion(version.Head.Version); err != nil {
		return fmt.Errorf("decode a delta: %w", err)
	}
	var j deltaJSON
	if err := strictUnmarshal(data, &j); err != nil {
		return fmt.Errorf("decode a delta: %w", err)
	}
	*d = Delta{Head: j.Head, Records: j.Records, Dropped: plainKeys(j.Dropped), Declared: j.Declared}
	return nil
}

// fastDelta reads what AppendJSON wrote, several times as fast as encoding/json.
// That it was AppendJSON, it knows by writing it again. It says no to anything
// else.
func fastDelta(data []byte) (d Delta, ok bool) {
	for name, value := range Members(data) {
		good := true
		switch string(name) {
		case "head":
			good = strictUnmarshal(value, &d.Head) == nil && checkVersion(d.Head.Version) == nil
		case "records":
			for element := range Elements(value) {
				r, fast := fastRecord(element)
				if !fast {
					r = Record{}
					good = good && r.UnmarshalJSON(element) == nil
				}
				d.Records = append(d.Records, r)
			}
		case "dropped":
			for element := range Elements(value) {
				key, isKey := fastKey(element)
				d.Dropped, good = append(d.Dropped, key), good && isKey
			}
		case "declared":
			for element := range Elements(value) {
				r, fast := fastResource(element)
				if !fast {
					r = Resource{}
					good = good && r.UnmarshalJSON(element) == nil
				}
				d.Declared = append(d.Declared, r)
			}
		default:
			good = false
		}
		if !good {
			return d, false
		}
	}
	return d, isCanonical(data, &d)
}
