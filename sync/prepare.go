package sync

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// declaration is a Desired, made ready to be compared: in key order, in normal
// form, concealed, with checksums.
type declaration struct {
	*Desired
	declared []diff.Declared // of copies: what the caller does with its own later is no matter
	// plain are the Configs in the clear, by the index in declared.
	plain []json.RawMessage
	// missing are the sensitive fields of which only the digest is at hand, by the
	// index in declared; nil if every value is.
	missing map[int][]string
	// kinds are the names of the kinds that are declared; deploys says that a
	// resource asks for a deploy.
	kinds   []string
	deploys bool
	root    state.Checksum
	// then are the records of the State that a rollback leads to; nil if it is none.
	then []state.Record
	// keyless says that there was no key for the digests: the checksums of what
	// has sensitive values are not those that will be recorded.
	keyless bool
	// withheld says that there is a key, which isn't for this caller.
	withheld bool

	redactorOnce  sync.Once
	theirRedactor *redactor // of all sensitive values; see redactor
}

// prepare checks every resource and returns the declaration, or every mistake.
func (e *Engine) prepare(ctx context.Context, desired *Desired) (*declaration, error) {
	key, withheld, err := e.keyToCompare(ctx)
	if err != nil {
		return nil, err
	}
	d, err := e.prepareWith(desired, key)
	if err == nil {
		d.withheld = withheld
	}
	return d, err
}

// prepareWith is prepare with the key for digests, nil if there is none.
func (e *Engine) prepareWith(desired *Desired, key []byte) (*declaration, error) {
	own := slices.Clone(desired.Resources)
	inOrder := func(a, b state.Resource) int { return a.Compare(b.Key) }
	if !slices.IsSortedFunc(own, inOrder) {
		slices.SortStableFunc(own, inOrder)
	}
	d := &declaration{
		Desired: desired, keyless: key == nil && e.kinds.sensitive,
		declared: make([]diff.Declared, len(own)), plain: make([]json.RawMessage, len(own)),
	}
	errs := make([]error, len(own))
	conceal := &concealer{kinds: e.kinds, key: key}
	inParallel(len(own), func(first, last int) {
		var buf []byte
		for i := first; i < last; i++ {
			if errs[i] = e.check(&own[i]); errs[i] == nil {
				d.plain[i] = own[i].Config
				own[i].Config = conceal.conceal(&own[i])
				errs[i] = e.kinds.checkUnmanaged(&own[i], d.plain[i])
			}
			if errs[i] == nil {
				buf, errs[i] = e.declare(&own[i], d.plain[i], &d.declared[i], buf)
			}
			if errs[i] == nil && i > 0 && own[i].Key == own[i-1].Key {
				errs[i] = errors.New("is declared twice")
			}
			if errs[i] != nil {
				errs[i] = d.wrong(own[i].Key, errs[i].Error(), errs[i])
			}
		}
	})
	if err := joinErrors(append(errs, d.checkMoves(own)...)...); err != nil {
		return nil, err
	}
	d.seal()
	return d, nil
}

// checkMoves returns what is wrong with the moves, whatever is recorded. The
// resources are those that are declared, in key order.
func (d *declaration) checkMoves(resources []state.Resource) []error {
	var errs []error
	for _, move := range d.Moves {
		_, stays := slices.BinarySearchFunc(resources, move.From, func(r state.Resource, key state.Key) int { return r.Compare(key) })
		switch {
		case move.From.Kind != move.To.Kind:
			errs = append(errs, d.wrong(move.From, fmt.Sprintf("can't move to %s, which is of another kind", move.To), nil))
		case stays:
			errs = append(errs, d.wrong(move.From, fmt.Sprintf("can't move to %s: it is still declared", move.To), nil))
		}
	}
	return errs
}

// seal computes what is told of the declaration as a whole.
func (d *declaration) seal() {
	for i := range d.declared {
		r := d.declared[i].Resource
		if i == 0 || r.Kind != d.declared[i-1].Resource.Kind {
			d.kinds = append(d.kinds, r.Kind)
		}
		d.deploys = d.deploys || r.Deploy
	}
	parts := make([]state.Checksum, len(d.declared))
	inParallel(len(d.declared), func(first, last int) {
		for i := first; i < last; i++ {
			parts[i] = state.DeclaredPart(d.declared[i].Resource.Key, d.declared[i].Checksum, d.declared[i].Edges)
		}
	})
	var root state.Tree
	for _, part := range parts {
		root.Add(part)
	}
	d.root = root.Root()
}

// check brings a resource in its normal form, or says what is wrong with it.
func (e *Engine) check(r *state.Resource) error {
	if err := e.kinds.normalize(r); err != nil {
		return err
	}
	if r.Deploy && e.kinds.kind(r.Kind).Deployer == nil {
		return fmt.Errorf("asks for a deploy, and its kind %q has no Deployer", r.Kind)
	}
	for _, ref := range r.Refs {
		if _, ok := diff.Lookup(r.Config, ref.Path); !ok {
			return fmt.Errorf("refers to %s at %q, where its config has nothing", ref.To, ref.Path)
		}
	}
	return nil
}

// checkUnmanaged returns what is wrong with what a resource, which is concealed
// already, leaves to others; plain is its Config in the clear. A reference can't
// be left to others: what a resource depends on is recorded and compared.
func (s *KindSet) checkUnmanaged(r *state.Resource, plain json.RawMessage) error {
	schema := s.Schema(r.Kind)
	for _, path := range r.Unmanaged {
		if !schema.Leads(plain, path) {
			return fmt.Errorf("leaves %q unmanaged, where its config has nothing", path)
		}
	}
	if len(r.Unmanaged) == 0 && !schema.HasUnmanaged() {
		return nil
	}
	for _, ref := range s.refs(r, plain) {
		if value, ok := diff.Lookup(r.Config, ref.Path); !ok || string(value) == "null" {
			return fmt.Errorf("refers to %s at %q, which is unmanaged: a reference can't be", ref.To, ref.Path)
		}
	}
	return nil
}

// declare fills in what is compared of a resource, which is concealed already;
// plain is its Config in the clear. buf is scratch, and comes back for the next.
func (e *Engine) declare(r *state.Resource, plain json.RawMessage, into *diff.Declared, buf []byte) ([]byte, error) {
	b, err := r.AppendJSON(buf[:0])
	if err != nil {
		return buf, err
	}
	*into = diff.Declared{Resource: r, Checksum: state.Sum(b), Edges: e.kinds.edges(r, plain)}
	return b, nil
}

// edges returns what a resource depends on: what it names itself, and the
// references that its kind's schema finds in its Config.
func (s *KindSet) edges(r *state.Resource, config json.RawMessage) []state.Key {
	refs := s.Schema(r.Kind).Refs(config)
	if len(refs) == 0 {
		return r.Edges()
	}
	all := *r
	all.Refs = slices.Concat(r.Refs, refs)
	return all.Edges()
}

// refs returns all references of a resource, those that its schema finds
// included.
func (s *KindSet) refs(r *state.Resource, config json.RawMessage) []state.Ref {
	return slices.Concat(r.Refs, s.Schema(r.Kind).Refs(config))
}

// find returns the index of what is declared under a key, and whether anything
// is. A nil declaration declares nothing.
func (d *declaration) find(key state.Key) (int, bool) {
	if d == nil {
		return 0, false
	}
	return slices.BinarySearchFunc(d.declared, key, func(d diff.Declared, key state.Key) int { return d.Resource.Compare(key) })
}

// graph orders the declaration. Its errors say where the members are declared.
func (d *declaration) graph() (*diff.Graph, error) {
	graph, err := diff.NewGraph(d.declared)
	if err == nil {
		return graph, nil
	}
	var errs []error
	for _, err := range unjoin(err) {
		var unknown *diff.UnknownError
		var cycle *diff.CycleError
		switch {
		case errors.As(err, &unknown):
			errs = append(errs, d.wrong(unknown.From, strings.TrimPrefix(err.Error(), unknown.From.String()+" "), err))
		case errors.As(err, &cycle):
			errs = append(errs, d.wrong(cycle.Keys[0], err.Error()+d.places(cycle.Keys), err))
		default:
			errs = append(errs, SyncInternalErr{Description: "order the declaration", Err: err})
		}
	}
	return nil, joinErrors(errs...)
}

func unjoin(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}

// places tells where keys are declared, as far as it is known.
func (d *declaration) places(keys []state.Key) string {
	var known []string
	for _, key := range keys {
		if at, ok := d.Positions[key]; ok {
			known = append(known, fmt.Sprintf("%s at %s", key, at))
		}
	}
	if len(known) == 0 {
		return ""
	}
	return " (" + strings.Join(known, ", ") + ")"
}

// wrong returns a SyncErr about a resource, with where it is declared.
func (d *declaration) wrong(key state.Key, description string, cause error) error {
	resource := key.String()
	if at, ok := d.Positions[key]; ok {
		resource = at.String() + ": " + resource
	}
	return SyncErr{Resource: resource, Description: description, Err: cause}
}

// inParallel calls work with ranges that cover 0 to n, on as many goroutines as
// there are processors, and returns when all have.
func inParallel(n int, work func(first, last int)) {
	const worthIt = 256
	workers := min(runtime.GOMAXPROCS(0), (n+worthIt-1)/worthIt)
	if workers <= 1 {
		work(0, n)
		return
	}
	var group sync.WaitGroup
	for i := range workers {
		group.Go(func() { work(i*n/workers, (i+1)*n/workers) })
	}
	group.Wait()
}
