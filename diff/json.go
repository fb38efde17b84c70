package diff

import "github.com/trueup-go/trueup/state"

// JSON is the shape of a Change in JSON. It holds no sensitive value, and of
// what is not to be seen in a plan (whole declarations and records) only what
// identifies it.
type JSON struct {
	Op  Op     `json:"op"`
	Key string `json:"key"`
	// Type is the resource's, as desired or else as recorded.
	Type string `json:"type,omitempty"`
	// ID, Recorded and Orphaned are the record's that the change was made
	// against: its identity, its checksum, and whether it was an orphan.
	ID       string         `json:"id,omitempty"`
	Recorded state.Checksum `json:"recorded,omitzero"`
	Orphaned bool           `json:"orphaned,omitempty"`
	// Desired is the checksum of the declaration.
	Desired state.Checksum `json:"desired,omitzero"`
	// Fields are what differs; of a create, everything.
	Fields []Field `json:"fields,omitempty"`
}

// JSONOf returns the JSON shape of a change. schemas tells which fields are
// sensitive; nil knows none.
func JSONOf(change Change, schemas Schemas) JSON {
	j := JSON{Op: change.Op(), Key: change.Key().String()}
	recorded := func(r *state.Record) {
		j.Type, j.ID, j.Recorded, j.Orphaned = r.Type, r.ID, r.Checksum, r.Orphaned
	}
	switch c := change.(type) {
	case *Create:
		j.Type, j.ID, j.Desired = c.Desired.Type, c.ID, c.Checksum
		j.Fields = Fields(nil, c.Desired, schemas.of(c.Desired.Kind))
	case *Update:
		recorded(c.Recorded)
		j.Type, j.Desired, j.Fields = c.Desired.Type, c.Checksum, c.Fields
	case *Delete:
		recorded(c.Recorded)
	case *Orphan:
		recorded(c.Recorded)
	case *Forget:
		recorded(c.Recorded)
	case NoOp:
		recorded(c.Recorded)
	}
	return j
}

func (s Schemas) of(kind string) *Schema {
	if s == nil {
		return nil
	}
	return s(kind)
}
