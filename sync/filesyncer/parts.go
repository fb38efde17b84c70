package filesyncer

import "github.com/trueup-go/trueup/state"

// parts are those of all records, and what they make together.
type parts struct {
	byKey map[state.Key]state.Part
	tally state.Tally
}

func newParts(records int) *parts { return &parts{byKey: make(map[state.Key]state.Part, records)} }

// swap is the part of one record before and after a commit, zero where there is
// none.
type swap struct {
	key     state.Key
	was, is state.Part
}

// swaps returns what a delta changes.
func (p *parts) swaps(d *state.Delta) ([]swap, error) {
	swaps := make([]swap, 0, len(d.Records)+len(d.Dropped))
	for i := range d.Records {
		is, err := d.Records[i].Part()
		if err != nil {
			return nil, err
		}
		key := d.Records[i].Key
		swaps = append(swaps, swap{key: key, was: p.byKey[key], is: is})
	}
	for _, key := range d.Dropped {
		swaps = append(swaps, swap{key: key, was: p.byKey[key]})
	}
	return swaps, nil
}

// apply makes the parts what they are after the swaps, which are of one delta: a
// key is in one of them only.
func (p *parts) apply(swaps []swap) {
	for _, s := range swaps {
		p.set(s.key, s.was, s.is)
	}
}

// undo makes the parts what they were before the swaps.
func (p *parts) undo(swaps []swap) {
	for _, s := range swaps {
		p.set(s.key, s.is, s.was)
	}
}

func (p *parts) set(key state.Key, was, is state.Part) {
	p.tally.Swap(was, is)
	if is == (state.Part{}) {
		delete(p.byKey, key)
	} else {
		p.byKey[key] = is
	}
}
