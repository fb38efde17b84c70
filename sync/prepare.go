package sync

import (
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
// form, with checksums.
type declaration struct {
	*Desired
	declared []diff.Declared // of copies: what the caller does with its own later is no matter
	root     state.Checksum
}

// prepare checks every resource and returns the declaration, or every mistake.
func (e *Engine) prepare(desired *Desired) (*declaration, error) {
	d := &declaration{Desired: desired, declared: make([]diff.Declared, len(desired.Resources))}
	own := slices.Clone(desired.Resources)
	errs := make([]error, len(own))
	inParallel(len(desired.Resources), func(first, last int) {
		var buf []byte
		for i := first; i < last; i++ {
			buf, errs[i] = e.prepareOne(&own[i], &d.declared[i], buf)
			if errs[i] != nil {
				errs[i] = d.wrong(own[i].Key, errs[i].Error(), errs[i])
			}
		}
	})
	if err := joinErrors(errs...); err != nil {
		return nil, err
	}
	inOrder := func(a, b diff.Declared) int { return a.Resource.Compare(b.Resource.Key) }
	if !slices.IsSortedFunc(d.declared, inOrder) {
		slices.SortStableFunc(d.declared, inOrder)
	}
	var twice []error
	var root state.Hasher
	for i := range d.declared {
		if i > 0 && d.declared[i-1].Resource.Key == d.declared[i].Resource.Key {
			twice = append(twice, d.wrong(d.declared[i].Resource.Key, "is declared twice", nil))
		}
	}
	if err := joinErrors(twice...); err != nil {
		return nil, err
	}
	parts := make([]state.Checksum, len(d.declared))
	inParallel(len(d.declared), func(first, last int) {
		for i := first; i < last; i++ {
			parts[i] = state.DeclaredPart(d.declared[i].Resource.Key, d.declared[i].Checksum, d.declared[i].Edges)
		}
	})
	for _, part := range parts {
		root.Add(part)
	}
	d.root = root.Root()
	return d, nil
}

// prepareOne brings one resource in its normal form and fills in what is compared
// of it. buf is scratch, and comes back for the next.
func (e *Engine) prepareOne(r *state.Resource, into *diff.Declared, buf []byte) ([]byte, error) {
	switch {
	case len(r.Refs) > 0:
		return buf, errors.New("it has Refs, which this version doesn't carry out")
	case r.Deploy:
		return buf, errors.New("it asks for a deploy, which this version doesn't carry out")
	}
	if err := e.kinds.normalize(r); err != nil {
		return buf, err
	}
	b, err := r.AppendJSON(buf[:0])
	if err != nil {
		return buf, err
	}
	*into = diff.Declared{Resource: r, Checksum: state.Sum(b), Edges: r.Edges()}
	return b, nil
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
			errs = append(errs, d.wrong(unknown.From, err.Error(), err))
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
