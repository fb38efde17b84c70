package syncertest

import (
	"slices"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// scenario is a sync that is killed: what was declared before, one sync after
// the other, and what is declared now.
type scenario struct {
	name   string
	before func(s *Suite) [][]state.Resource
	after  func(s *Suite) []state.Resource
	prune  bool
	forget func(s *Suite) []state.Key
}

func scenarios() []scenario {
	once := func(s *Suite) [][]state.Resource { return [][]state.Resource{s.resources(0, 12, 1)} }
	return []scenario{
		{
			name:   "TheFirstSync",
			before: func(*Suite) [][]state.Resource { return nil },
			after:  func(s *Suite) []state.Resource { return s.resources(0, 12, 1) },
		},
		{
			name:   "CreatesUpdatesOrphans",
			before: once,
			after: func(s *Suite) []state.Resource {
				return slices.Concat(s.resources(0, 4, 1), s.resources(4, 10, 2), s.resources(12, 16, 1))
			},
		},
		{
			name:   "Pruning",
			before: once,
			after:  func(s *Suite) []state.Resource { return slices.Concat(s.resources(0, 6, 1), s.resources(6, 9, 2)) },
			prune:  true,
		},
		{
			name: "Forgetting",
			before: func(s *Suite) [][]state.Resource {
				return append(once(s), s.resources(0, 10, 1))
			},
			after:  func(s *Suite) []state.Resource { return slices.Concat(s.resources(0, 5, 1), s.resources(5, 10, 2)) },
			forget: func(s *Suite) []state.Key { return keysOf(s.resources(10, 12, 1)) },
		},
	}
}

// edited is what somebody made of the declaration after the crash: one resource
// changed, one gone, one new.
func (sc *scenario) edited(s *Suite) []state.Resource {
	after := sc.after(s)
	after[1] = s.Resource(1, 7)
	fresh := s.Resource(17, 1)
	fresh.After = nil
	return append(after[:len(after)-1], fresh)
}

// options are those of the sync, given what is recorded.
func (sc *scenario) options(s *Suite, mode tusync.FailureMode, recorded map[state.Key]state.Record) *tusync.PlanOptions {
	opts := &tusync.PlanOptions{By: "ada", OnFailure: mode, Prune: sc.prune}
	if sc.forget != nil {
		for _, key := range sc.forget(s) {
			if _, ok := recorded[key]; ok {
				opts.Forget = append(opts.Forget, key)
			}
		}
	}
	return opts
}

// goes tells whether the sync may drop the record of a key that isn't declared.
func (sc *scenario) goes(s *Suite, key state.Key) bool {
	return sc.prune || sc.forget != nil && slices.Contains(sc.forget(s), key)
}
