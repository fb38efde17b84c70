package sync

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/go-multierror"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// Kind is one sort of resource. Define makes one from a Go struct; a hand-made
// one needs only a Name, and a Schema if its Config is to be checked.
type Kind struct {
	// Name is the kind's name in keys and files: "server".
	Name string
	// Schema says what a Config may hold. Nil takes any object.
	Schema *diff.Schema

	err    error
	encode *encoder
}

// KindSet is the kinds that a program knows. It is immutable and safe for
// concurrent use. A nil *KindSet knows none.
type KindSet struct {
	kinds map[string]Kind
	err   error
}

// Kinds makes a set of kinds. A mistake in a definition is reported by whatever
// uses the set; see KindSet.Err.
func Kinds(kinds ...Kind) *KindSet {
	set := &KindSet{kinds: make(map[string]Kind, len(kinds))}
	var errs *multierror.Error
	for _, kind := range kinds {
		if kind.err != nil {
			errs = multierror.Append(errs, fmt.Errorf("kind %q: %w", kind.Name, kind.err))
		}
		if err := state.ValidateKind(kind.Name); err != nil {
			errs = multierror.Append(errs, err)
		}
		if err := kind.Schema.Validate(); err != nil && kind.err == nil {
			errs = multierror.Append(errs, fmt.Errorf("kind %q: the schema: %w", kind.Name, err))
		}
		if _, twice := set.kinds[kind.Name]; twice {
			errs = multierror.Append(errs, fmt.Errorf("kind %q is defined twice", kind.Name))
		}
		set.kinds[kind.Name] = kind
	}
	set.err = errs.ErrorOrNil()
	return set
}

// Err returns what is wrong with the kinds' definitions, or nil.
func (s *KindSet) Err() error {
	if s == nil {
		return nil
	}
	return s.err
}

// Names returns the names of the kinds, in order.
func (s *KindSet) Names() []string {
	if s == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(s.kinds))
}

// Kind returns the kind of that name and whether there is one.
func (s *KindSet) Kind(name string) (Kind, bool) {
	if s == nil {
		return Kind{}, false
	}
	kind, ok := s.kinds[name]
	return kind, ok
}

// Schema returns the schema of a kind; nil if there is no such kind or it has
// none. It is a diff.Schemas.
func (s *KindSet) Schema(kind string) *diff.Schema {
	k, _ := s.Kind(kind)
	return k.Schema
}

// Resource makes a resource from a Go value of the type that its kind was
// defined with, or from a map or raw JSON. Fields at their default are left out
// of its Config; every mistake in it is reported at once.
func (s *KindSet) Resource(kind, name string, value any) (state.Resource, error) {
	r := state.Resource{Key: state.Key{Kind: kind, Name: name}}
	k, ok := s.Kind(kind)
	if !ok {
		return r, s.unknown(kind)
	}
	raw, err := k.encode.append(nil, value)
	if err != nil {
		return r, SyncErr{Resource: r.String(), Description: err.Error(), Err: err}
	}
	r.Config = raw
	if err := s.normalize(&r); err != nil {
		return r, SyncErr{Resource: r.String(), Description: err.Error(), Err: err}
	}
	return r, nil
}

func (s *KindSet) unknown(kind string) error {
	hint := ""
	if near := diff.Nearest(kind, s.Names()); near != "" {
		hint = fmt.Sprintf("; did you mean %q?", near)
	}
	return fmt.Errorf("%w %q%s", ErrUnknownKind, kind, hint)
}

// normalize brings the resource's Config in its normal form and checks its key.
func (s *KindSet) normalize(r *state.Resource) error {
	kind, ok := s.Kind(r.Kind)
	if !ok {
		return s.unknown(r.Kind)
	}
	if err := r.Validate(); err != nil {
		return err
	}
	config, mistakes := kind.Schema.Normalize(r.Config)
	if len(mistakes) > 0 {
		return fieldErrors(mistakes)
	}
	r.Config = config
	return nil
}

// fieldErrors makes one error of the mistakes of a Config.
func fieldErrors(mistakes []diff.FieldError) error {
	if len(mistakes) == 1 {
		return mistakes[0]
	}
	errs := &multierror.Error{ErrorFormat: func(errs []error) string {
		var texts []string
		for _, err := range errs {
			texts = append(texts, err.Error())
		}
		return fmt.Sprintf("%d mistakes: %s", len(errs), strings.Join(texts, "; "))
	}}
	for _, mistake := range mistakes {
		errs = multierror.Append(errs, mistake)
	}
	return errs
}
