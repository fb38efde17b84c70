package state

import (
	"bytes"
	"encoding/json"
	"strings"
)

// fastRecord reads the canonical JSON of a record, about five times as fast as
// encoding/json. It says no to anything unexpected; then encoding/json decides,
// and finds the words for what is wrong.
func fastRecord(canonical json.RawMessage) (r Record, ok bool) {
	for name, value := range Members(canonical) {
		good := true
		switch string(name) {
		case "after":
			r.After = make([]Key, 0, 4)
			for element := range Elements(value) {
				key, isKey := fastKey(element)
				r.After, good = append(r.After, key), good && isKey
			}
		case "checksum":
			text, isText := fastText(value)
			good = isText && r.Checksum.UnmarshalText([]byte(text)) == nil
		case "config_id":
			r.ConfigID, good = fastText(value)
		case "id":
			r.ID, good = fastText(value)
		case "key":
			r.Key, good = fastKey(value)
		case "orphaned":
			r.Orphaned = string(value) == "true"
			good = r.Orphaned
		case "type":
			r.Type, good = fastText(value)
		default:
			return r, false // rare: protected, replaced, pending
		}
		if !good {
			return r, false
		}
	}
	return r, !r.Key.IsZero()
}

// fastResource does for a resource what fastRecord does for a record.
func fastResource(canonical json.RawMessage) (r Resource, ok bool) {
	for name, value := range Members(canonical) {
		good := true
		switch string(name) {
		case "after":
			for element := range Elements(value) {
				key, isKey := fastKey(element)
				r.After, good = append(r.After, key), good && isKey
			}
		case "config":
			config, err := Canonical(value) // the value itself, perhaps
			r.Config, good = bytes.Clone(config), err == nil
		case "deploy":
			r.Deploy = string(value) == "true"
			good = r.Deploy
		case "description":
			r.Description, good = fastText(value)
		case "key":
			r.Key, good = fastKey(value)
		case "tags":
			for element := range Elements(value) {
				tag, isText := fastText(element)
				r.Tags, good = append(r.Tags, tag), good && isText
			}
		case "type":
			r.Type, good = fastText(value)
		default:
			return r, false // rare: protected, refs, unmanaged
		}
		if !good {
			return r, false
		}
	}
	return r, !r.Key.IsZero()
}

// isCanonical tells whether data is what a value writes: then whoever read it without a
// check has read it right.
func isCanonical(data []byte, value interface {
	AppendJSON(dst []byte) ([]byte, error)
}) bool {
	again, err := value.AppendJSON(make([]byte, 0, len(data)+len(data)/8))
	return err == nil && bytes.Equal(again, data)
}

func fastText(value json.RawMessage) (string, bool) {
	if len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
		return "", false
	}
	return string(unescape(value[1 : len(value)-1])), true
}

func fastKey(value json.RawMessage) (Key, bool) {
	text, ok := fastText(value)
	if !ok {
		return Key{}, false
	}
	kind, name, found := strings.Cut(text, "/")
	key := Key{Kind: kind, Name: name}
	return key, found && key.Validate() == nil
}
