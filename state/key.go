package state

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Key names a resource within its scope: "component/api". It is what a
// declaration calls the resource, and it is unique within a scope. The zero
// Key names nothing.
type Key struct {
	// Kind is the registered kind: "component". Lower-case letters, digits, '-'
	// and '_', beginning with a letter.
	Kind string
	// Name is the resource's name within its kind. Any printable text, slashes
	// included; not empty.
	Name string
}

// String returns the key as ParseKey reads it: kind, slash, name.
func (k Key) String() string { return k.Kind + "/" + k.Name }

// Compare orders keys by kind, then by name, both bytewise. Every sequence of
// resources or records in this module is in this order.
func (k Key) Compare(other Key) int {
	if c := cmp.Compare(k.Kind, other.Kind); c != 0 {
		return c
	}
	return cmp.Compare(k.Name, other.Name)
}

// IsZero tells whether the key names nothing.
func (k Key) IsZero() bool { return k == Key{} }

// Validate returns an error that says what is wrong with the key, or nil.
func (k Key) Validate() error {
	if err := ValidateKind(k.Kind); err != nil {
		return err
	}
	switch {
	case k.Name == "":
		return fmt.Errorf("a %s without a name", k.Kind)
	case !utf8.ValidString(k.Name):
		return fmt.Errorf("%s name %q is not valid UTF-8", k.Kind, k.Name)
	case strings.ContainsFunc(k.Name, unicode.IsControl):
		return fmt.Errorf("%s name %q holds a control character", k.Kind, k.Name)
	}
	return nil
}

// ValidateKind returns an error that says why kind can't be the name of a kind,
// or nil.
func ValidateKind(kind string) error {
	if kind == "" {
		return errors.New("an empty kind")
	}
	for i, c := range []byte(kind) {
		letter := c >= 'a' && c <= 'z'
		other := c >= '0' && c <= '9' || c == '-' || c == '_'
		if !letter && (i == 0 || !other) {
			return fmt.Errorf("kind %q: want a lower-case letter, then lower-case letters, digits, '-' and '_'", kind)
		}
	}
	return nil
}

// ParseKey reads "kind/name". The name is everything after the first slash.
func ParseKey(text string) (Key, error) {
	kind, name, found := strings.Cut(text, "/")
	if !found {
		return Key{}, fmt.Errorf("key %q: want kind/name", text)
	}
	key := Key{Kind: kind, Name: name}
	if err := key.Validate(); err != nil {
		return Key{}, fmt.Errorf("key %q: %w", text, err)
	}
	return key, nil
}

// Scope is one State's place among many: an app of an org. Scopes know nothing
// of each other.
type Scope struct {
	Org string `json:"org"`
	App string `json:"app"`
}

// String returns "org/app".
func (s Scope) String() string { return s.Org + "/" + s.App }

// Validate returns an error that says what is wrong with the scope, or nil.
// Both parts must be there, without slashes or control characters, and not be
// "." or "..", so that a scope can be a path of any store.
func (s Scope) Validate() error {
	for _, part := range [...]struct{ what, text string }{{"org", s.Org}, {"app", s.App}} {
		switch {
		case part.text == "":
			return fmt.Errorf("scope %q: the %s is empty", s, part.what)
		case part.text == "." || part.text == "..":
			return fmt.Errorf("scope %q: the %s can't be %q", s, part.what, part.text)
		case !utf8.ValidString(part.text) || strings.ContainsFunc(part.text, unicode.IsControl) || strings.ContainsAny(part.text, `/\`):
			return fmt.Errorf("scope %q: the %s holds a slash, a control character or invalid UTF-8", s, part.what)
		}
	}
	return nil
}
