package state

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"
)

// objectWriter writes one canonical JSON object. The caller gives the members
// in order of their names; those that are empty are left out.
type objectWriter struct {
	b   []byte
	err error
}

func newObject(dst []byte) objectWriter { return objectWriter{b: append(dst, '{')} }

func (w *objectWriter) name(name string) {
	if w.b[len(w.b)-1] != '{' {
		w.b = append(w.b, ',')
	}
	w.b = append(append(append(w.b, '"'), name...), '"', ':')
}

// quoted appends a string value. In an error the writer goes on, so that w.b
// stays usable, and end reports it.
func (w *objectWriter) quoted(text string) {
	b, err := appendString(w.b, text)
	if err != nil {
		w.err = err
		return
	}
	w.b = b
}

func (w *objectWriter) text(name, text string) {
	if text != "" {
		w.name(name)
		w.quoted(text)
	}
}

func (w *objectWriter) key(name string, key Key) {
	w.name(name)
	w.keyValue(key)
}

func (w *objectWriter) keyValue(key Key) {
	if !utf8.ValidString(key.Kind) || !utf8.ValidString(key.Name) {
		w.err = fmt.Errorf("the key %q is not valid UTF-8", key)
		return
	}
	w.quoted(key.Kind)
	w.b[len(w.b)-1] = '/'
	slash := len(w.b)
	w.quoted(key.Name)
	w.b = slices.Delete(w.b, slash, slash+1)
}

func (w *objectWriter) keys(name string, keys []Key) {
	if len(keys) > 0 {
		w.list(name, len(keys), func(i int) { w.keyValue(keys[i]) })
	}
}

func (w *objectWriter) list(name string, n int, element func(i int)) {
	w.name(name)
	w.b = append(w.b, '[')
	for i := range n {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		element(i)
	}
	w.b = append(w.b, ']')
}

func (w *objectWriter) set(name string, texts []string) {
	if texts = sortedSet(texts); len(texts) > 0 {
		w.list(name, len(texts), func(i int) { w.quoted(texts[i]) })
	}
}

func (w *objectWriter) flag(name string, set bool) {
	if set {
		w.name(name)
		w.b = append(w.b, "true"...)
	}
}

func (w *objectWriter) number(name string, n int64) {
	w.name(name)
	w.b = strconv.AppendInt(w.b, n, 10)
}

func (w *objectWriter) checksum(name string, c Checksum) {
	if !c.IsZero() {
		w.name(name)
		w.b = append(c.AppendText(append(w.b, '"')), '"')
	}
}

func (w *objectWriter) end() ([]byte, error) {
	if w.err != nil {
		return nil, w.err
	}
	return append(w.b, '}'), nil
}

// AppendJSON appends the canonical JSON of the resource, in which equal
// declarations are equal bytes: sets are sorted, empty parts are left out, and
// Config is made canonical.
func (r *Resource) AppendJSON(dst []byte) ([]byte, error) {
	config, err := Canonical(r.config())
	if err != nil {
		return nil, fmt.Errorf("%s: config: %w", r.Key, err)
	}
	if config[0] != '{' {
		return nil, fmt.Errorf("%s: config: want an object, found %.20s", r.Key, config)
	}
	w := newObject(dst)
	w.keys("after", sortedKeys(r.After))
	if len(config) > len("{}") {
		w.name("config")
		w.b = append(w.b, config...)
	}
	w.flag("deploy", r.Deploy)
	w.text("description", r.Description)
	w.key("key", r.Key)
	w.flag("protected", r.Protected)
	if refs := sortedRefs(r.Refs); len(refs) > 0 {
		w.list("refs", len(refs), func(i int) {
			ref := newObject(w.b)
			ref.text("path", refs[i].Path)
			ref.key("to", refs[i].To)
			w.nest(ref)
		})
	}
	w.set("tags", r.Tags)
	w.text("type", r.Type)
	w.set("unmanaged", r.Unmanaged)
	b, err := w.end()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.Key, err)
	}
	return b, nil
}

func (r *Resource) config() json.RawMessage {
	if len(r.Config) == 0 {
		return json.RawMessage("{}")
	}
	return r.Config
}

// Checksum returns the checksum of the resource's canonical JSON: of the whole
// declaration, its edges included.
func (r *Resource) Checksum() (Checksum, error) {
	b, err := r.AppendJSON(nil)
	if err != nil {
		return Checksum{}, err
	}
	return Sum(b), nil
}

// Edges returns the effective edges of the resource: After and the targets of
// Refs, in key order, each once. The slice may be r.After itself.
func (r *Resource) Edges() []Key {
	if len(r.Refs) == 0 {
		return sortedKeys(r.After)
	}
	edges := slices.Clone(r.After)
	for _, ref := range r.Refs {
		edges = append(edges, ref.To)
	}
	return sortedKeys(edges)
}

// AppendJSON appends the canonical JSON of the record.
func (r *Record) AppendJSON(dst []byte) ([]byte, error) {
	w := newObject(dst)
	w.keys("after", sortedKeys(r.After))
	w.checksum("checksum", r.Checksum)
	w.text("config_id", r.ConfigID)
	w.text("id", r.ID)
	w.key("key", r.Key)
	w.flag("orphaned", r.Orphaned)
	if len(r.Pending) > 0 {
		w.list("pending", len(r.Pending), func(i int) { w.pending(&r.Pending[i]) })
	}
	w.flag("protected", r.Protected)
	w.text("replaced", r.Replaced)
	w.text("type", r.Type)
	b, err := w.end()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.Key, err)
	}
	return b, nil
}

func (w *objectWriter) pending(p *Pending) {
	o := newObject(w.b)
	if p.Attempts != 0 {
		o.number("attempts", int64(p.Attempts))
	}
	o.checksum("checksum", p.Checksum)
	o.text("error", p.Error)
	o.text("op", p.Op)
	o.number("serial", p.Serial)
	w.nest(o)
}

// nest takes over what a writer that began on w.b has written, and ends it.
func (w *objectWriter) nest(o objectWriter) {
	w.b = append(o.b, '}')
	if o.err != nil {
		w.err = o.err
	}
}

// sortedKeys, sortedRefs and sortedSet return a set in order, without
// repetition: their argument itself, if it is so already.

func sortedKeys(keys []Key) []Key { return sortedFunc(keys, Key.Compare) }

func sortedRefs(refs []Ref) []Ref {
	return sortedFunc(refs, func(a, b Ref) int {
		if c := bytes.Compare([]byte(a.Path), []byte(b.Path)); c != 0 {
			return c
		}
		return a.To.Compare(b.To)
	})
}

func sortedSet(texts []string) []string {
	return sortedFunc(texts, func(a, b string) int { return bytes.Compare([]byte(a), []byte(b)) })
}

func sortedFunc[E comparable](set []E, compare func(a, b E) int) []E {
	for i := 1; i < len(set); i++ {
		if compare(set[i-1], set[i]) >= 0 {
			set = slices.Clone(set)
			slices.SortFunc(set, compare)
			return slices.Compact(set)
		}
	}
	return set
}

// MarshalJSON implements json.Marshaler; see AppendJSON.
func (r Resource) MarshalJSON() ([]byte, error) { return r.AppendJSON(nil) }

// MarshalJSON implements json.Marshaler; see AppendJSON.
func (r Record) MarshalJSON() ([]byte, error) { return r.AppendJSON(nil) }

// resourceJSON, refJSON, recordJSON and keyText are the shapes for reading. (A
// Key that read itself from text would make everything that embeds one do so.)
type resourceJSON struct {
	After       []keyText       `json:"after"`
	Config      json.RawMessage `json:"config"`
	Deploy      bool            `json:"deploy"`
	Description string          `json:"description"`
	Key         keyText         `json:"key"`
	Protected   bool            `json:"protected"`
	Refs        []refJSON       `json:"refs"`
	Tags        []string        `json:"tags"`
	Type        string          `json:"type"`
	Unmanaged   []string        `json:"unmanaged"`
}

type refJSON struct {
	Path string  `json:"path"`
	To   keyText `json:"to"`
}

type recordJSON struct {
	After     []keyText `json:"after"`
	Checksum  Checksum  `json:"checksum"`
	ConfigID  string    `json:"config_id"`
	ID        string    `json:"id"`
	Key       keyText   `json:"key"`
	Orphaned  bool      `json:"orphaned"`
	Pending   []Pending `json:"pending"`
	Protected bool      `json:"protected"`
	Replaced  string    `json:"replaced"`
	Type      string    `json:"type"`
}

type keyText Key

func (k *keyText) UnmarshalText(text []byte) error {
	key, err := ParseKey(string(text))
	*k = keyText(key)
	return err
}

func plainKeys(keys []keyText) []Key {
	if keys == nil {
		return nil
	}
	plain := make([]Key, len(keys))
	for i, k := range keys {
		plain[i] = Key(k)
	}
	return plain
}

// UnmarshalJSON reads what MarshalJSON wrote. Unknown members are errors.
func (r *Resource) UnmarshalJSON(data []byte) error {
	if fast, ok := fastResource(data); ok && isCanonical(data, &fast) {
		*r = fast
		return nil
	}
	var j resourceJSON
	if err := strictUnmarshal(data, &j); err != nil {
		return err
	}
	if err := Key(j.Key).Validate(); err != nil {
		return err
	}
	if len(j.Config) > 0 {
		// It may have come through an encoder that spaces and escapes as it likes.
		config, err := Canonical(j.Config)
		if err != nil {
			return fmt.Errorf("%s: config: %w", Key(j.Key), err)
		}
		j.Config = config
	}
	*r = Resource{
		Key: Key(j.Key), Type: j.Type, Description: j.Description, Tags: j.Tags,
		After: plainKeys(j.After), Deploy: j.Deploy, Config: j.Config,
		Protected: j.Protected, Unmanaged: j.Unmanaged,
	}
	for _, ref := range j.Refs {
		r.Refs = append(r.Refs, Ref{Path: ref.Path, To: Key(ref.To)})
	}
	return nil
}

// UnmarshalJSON reads what MarshalJSON wrote. Unknown members are errors.
func (r *Record) UnmarshalJSON(data []byte) error {
	if fast, ok := fastRecord(data); ok && isCanonical(data, &fast) {
		*r = fast
		return nil
	}
	var j recordJSON
	if err := strictUnmarshal(data, &j); err != nil {
		return err
	}
	if err := Key(j.Key).Validate(); err != nil {
		return err
	}
	*r = Record{
		Key: Key(j.Key), Type: j.Type, ID: j.ID, ConfigID: j.ConfigID, Checksum: j.Checksum,
		After: plainKeys(j.After), Orphaned: j.Orphaned, Protected: j.Protected,
		Replaced: j.Replaced, Pending: j.Pending,
	}
	return nil
}

func strictUnmarshal(data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	return dec.Decode(into)
}
