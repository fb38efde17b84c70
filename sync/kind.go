package sync

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

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
	// Version is that of the meaning of a Config: raised when a default changes,
	// or whatever else makes the same Config mean something new. Recorded resources
	// of an older version are updated; a program that knows only an older one gets
	// ErrKindVersion.
	Version int
	// Handler acts for the kind. Nil: the backend stores it, and there is nothing
	// else to do.
	Handler Handler
	// Deployer deploys what is declared with Deploy. Nil: the Handler does, if it
	// is one.
	Deployer Deployer
	// Parallel is how many calls of the Handler or Deployer may be under way at
	// once. 0: as many as Options.Parallel.
	Parallel int
	// Batch is how many changes a call of the Handler may have. 0 means 1.
	Batch int
	// CreateFirst says that a replacement is created before the old one is
	// deleted; else after.
	CreateFirst bool
	// Protected says that nothing of the kind is ever pruned or replaced.
	Protected bool
	// HealthTimeout is how long a deploy may take to become healthy. 0 means 5
	// minutes.
	HealthTimeout time.Duration
	// Normalize brings a live Config in the form in which the same is declared,
	// where the Schema's defaults are not enough: lower-case names, units. Nil: it
	// is compared as it is.
	Normalize func(live json.RawMessage) (json.RawMessage, error)

	err    error
	encode *encoder
	forms  *forms // nil if every field has but one
}

// KindSet is the kinds that a program knows. It is immutable and safe for
// concurrent use. A nil *KindSet knows none.
type KindSet struct {
	kinds     map[string]*Kind
	sensitive bool // a kind has sensitive fields
	acts      bool // a kind has a Handler or Deployer
	err       error
}

// Kinds makes a set of kinds. A mistake in a definition is reported by whatever
// uses the set; see KindSet.Err.
func Kinds(kinds ...Kind) *KindSet {
	set := &KindSet{kinds: make(map[string]*Kind, len(kinds))}
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
		if kind.Parallel < 0 || kind.Batch < 0 || kind.Version < 0 || kind.HealthTimeout < 0 {
			errs = multierror.Append(errs, fmt.Errorf("kind %q: Parallel, Batch, Version and HealthTimeout can't be negative", kind.Name))
		}
		if deployer, ok := kind.Handler.(Deployer); ok && kind.Deployer == nil {
			kind.Deployer = deployer
		}
		set.kinds[kind.Name] = &kind
		set.sensitive = set.sensitive || kind.Schema.HasSensitive()
		set.acts = set.acts || kind.Handler != nil || kind.Deployer != nil
	}
	errs = multierror.Append(errs, set.dangling()...)
	set.err = errs.ErrorOrNil()
	return set
}

// dangling returns an error for every reference to a kind that isn't in the set.
func (s *KindSet) dangling() []error {
	var errs []error
	for _, name := range s.Names() {
		for _, to := range refKinds(s.kinds[name].Schema) {
			if _, ok := s.kinds[to]; !ok {
				errs = append(errs, fmt.Errorf("kind %q refers to the %w", name, s.unknown(to)))
			}
		}
	}
	return errs
}

// refKinds returns the kinds that a schema refers to.
func refKinds(s *diff.Schema) []string {
	var kinds []string
	var object func(s *diff.Schema)
	object = func(s *diff.Schema) {
		for i := range s.Fields {
			v := &s.Fields[i].Value
			for v.Elem != nil {
				v = v.Elem
			}
			if v.Ref != "" {
				kinds = append(kinds, v.Ref)
			}
			if v.Object != nil {
				object(v.Object)
			}
		}
	}
	if s != nil {
		object(s)
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
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
	if !ok {
		return Kind{}, false
	}
	return *kind, true
}

// kind returns the kind of that name; one without anything if there is none.
func (s *KindSet) kind(name string) *Kind {
	if s != nil && s.kinds[name] != nil {
		return s.kinds[name]
	}
	return &Kind{Name: name}
}

// managed returns a Config in the clear without what is unmanaged.
func (k *Kind) managed(config json.RawMessage, unmanaged []string) json.RawMessage {
	return k.Schema.Conceal(config, unmanaged, func(_ string, value json.RawMessage) json.RawMessage { return value })
}

// Schema returns the schema of a kind; nil if there is no such kind or it has
// none. It is a diff.Schemas.
func (s *KindSet) Schema(kind string) *diff.Schema {
	return s.kind(kind).Schema
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
	if reflect.Indirect(reflect.ValueOf(value)).Kind() != reflect.Struct {
		err = k.hidden(err)
	}
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
	config, mistakes, _ := kind.Canonical(r.Config, false)
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
