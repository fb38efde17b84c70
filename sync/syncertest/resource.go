package syncertest

import (
	"context"
	"fmt"
	"testing"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// Thing is the kind of resource that the tests declare by default.
type Thing struct {
	Size   int
	Ratio  float64
	Label  string `sync:"default=plain"`
	On     bool
	Labels map[string]string
	Parts  []Part
}

// Part is a part of a Thing.
type Part struct {
	Name  string
	Count int
}

// DefaultKinds is the kinds of DefaultResource.
func DefaultKinds() *tusync.KindSet { return tusync.Kinds(tusync.Define[Thing]("thing")) }

// DefaultResource returns the nth resource of a declaration, in one of its
// versions. Each but the first comes after another one.
func DefaultResource(n, version int) state.Resource {
	thing := Thing{
		Size: n, Ratio: float64(version) + 0.5, Label: fmt.Sprintf("version %d", version), On: n%2 == 0,
		Labels: map[string]string{"n": fmt.Sprint(n), "größe": "ünïcode <&> \"quoted\""},
		Parts:  []Part{{Name: "a", Count: version}, {Name: "b"}},
	}
	r, err := DefaultKinds().Resource("thing", fmt.Sprintf("n%06d", n), thing)
	if err != nil {
		panic(err) // a mistake in the lines above
	}
	r.Description = fmt.Sprintf("the thing %d", n)
	r.Type = "sort"
	r.Tags = []string{"tested"}
	if n > 0 {
		r.After = []state.Key{{Kind: "thing", Name: fmt.Sprintf("n%06d", n/2)}}
	}
	return r
}

// resources returns the resources from first to before last, in one version.
func (s *Suite) resources(first, last, version int) []state.Resource {
	var all []state.Resource
	for n := first; n < last; n++ {
		all = append(all, s.Resource(n, version))
	}
	return all
}

// outlive returns a context for what is done after a test has ended.
func outlive(t testing.TB) context.Context { return context.WithoutCancel(t.Context()) }
