package state

import (
	"encoding/json"
	"fmt"
)

// Apply returns the records after the delta: base and the delta's records in
// key order, without what is dropped or replaced. It verifies that they fit the
// delta's head, as a Decoder does; if the roots don't, the error is a
// *ChecksumError.
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
	sealed, err := Seal(d.Head, merged)
	if err != nil {
		return nil, err
	}
	if err := sealed.fits(d.Head); err != nil {
		return nil, err
	}
	return merged, nil
}

type deltaJSON struct {
	Head     Head       `json:"head"`
	Records  []Record   `json:"records,omitempty"`
	Dropped  []keyText  `json:"dropped,omitempty"`
	Declared []Resource `json:"declared,omitempty"`
}

// MarshalText implements encoding.TextMarshaler.
func (k keyText) MarshalText() ([]byte, error) { return []byte(Key(k).String()), nil }

// MarshalJSON implements json.Marshaler. The form is canonical up to white space.
func (d Delta) MarshalJSON() ([]byte, error) {
	j := deltaJSON{Head: d.Head, Records: d.Records, Declared: d.Declared}
	for _, key := range d.Dropped {
		j.Dropped = append(j.Dropped, keyText(key))
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON wrote. Unknown members are errors, and so
// is a version that is newer than this program's.
func (d *Delta) UnmarshalJSON(data []byte) error {
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
