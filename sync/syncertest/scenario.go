package syncertest

import (
	"errors"
	"fmt"
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
	// acts, if not nil, is what is declared before and now where Handlers act:
	// before, after and forget are nil then.
	acts func() (before, after wants)
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
		{
			name: "TheFirstActs",
			acts: func() (before, after wants) { return wants{}, chains(0, 1) },
		},
		{
			name: "ActsOfEverySort",
			acts: actsOfEverySort,
		},
		{
			name:  "ActsThatPrune",
			acts:  actsThatPrune,
			prune: true,
		},
	}
}

func scenarioOf(name string) (scenario, error) {
	all := scenarios()
	i := slices.IndexFunc(all, func(sc scenario) bool { return sc.name == name })
	if i < 0 {
		return scenario{}, errors.New("no such scenario: " + name)
	}
	return all[i], nil
}

// chains declares a piece of every kind but the protected one for each number. The
// pieces of one number depend on each other.
func chains(numbers ...int) wants {
	all := wants{}
	for _, n := range numbers {
		name := fmt.Sprint("n", n)
		for _, k := range pieceKinds() {
			if k.protected {
				continue
			}
			one := &want{piece: piece{Range: "range0", Size: 1, Token: secretMark}, Deploy: k.deploys}
			if k.link != "" {
				one.Link = name
			}
			if k.base != "" {
				one.Base = name
			}
			all[state.Key{Kind: k.name, Name: name}] = one
		}
	}
	return all
}

// actsOfEverySort replaces the pieces of one number, updates those of another,
// orphans those of a third and creates those of a fourth.
func actsOfEverySort() (before, after wants) {
	before, after = chains(0, 1, 2), chains(0, 1, 3)
	for key, one := range after {
		switch key.Name {
		case "n0":
			one.Range = "range1"
		case "n1":
			one.Size = 2
		}
	}
	return before, after
}

// actsThatPrune deletes the pieces of two numbers, and of the third replaces the one
// that all others depend on: they have to follow it to its new ID, and are too many
// to do so at once.
func actsThatPrune() (before, after wants) {
	before, after = chains(0, 1, 2), chains(1)
	for n := range 6 {
		key := state.Key{Kind: "cert", Name: fmt.Sprint("x", n)}
		before[key] = &want{piece: piece{Range: "range0", Size: 1, Link: "n1"}}
		after[key] = before[key]
	}
	after[state.Key{Kind: "net", Name: "n1"}].Range = "range1"
	return before, after
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
