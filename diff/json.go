package diff

import "github.com/trueup-go/trueup/state"

// JSON is the shape of a Change in JSON. It holds no sensitive value, and of
// what is not to be seen in a plan (whole declarations and records) only what
// identifies it.
type JSON struct {
	Op  Op     `json:"op"`
	Key string `json:"key"`
	// From is the key that a resource had before it moved.
	From string `json:"from,omitempty"`
	// Type is the resource's, as desired or else as recorded.
	Type string `json:"type,omitempty"`
	// ID, Recorded and Orphaned are the record's that the change was made
	// against: its identity, its checksum, and whether it was an orphan. The ID of
	// a create is the one that is proposed, and that of an adopt the thing's.
	ID       string         `json:"id,omitempty"`
	Recorded state.Checksum `json:"recorded,omitzero"`
	Orphaned bool           `json:"orphaned,omitempty"`
	// Interrupted says that an earlier create was begun and not finished.
	Interrupted bool `json:"interrupted,omitempty"`
	// Replaced says that a delete is the half of a replace.
	Replaced bool `json:"replaced,omitempty"`
	// Desired is the checksum of the declaration.
	Desired state.Checksum `json:"desired,omitzero"`
	// Reasons say why, where the declaration alone doesn't.
	Reasons []string `json:"reasons,omitempty"`
	// Fields are what differs; of a create, everything.
	Fields []Field `json:"fields,omitempty"`
}

// JSONOf returns the JSON shape of a change. schemas tells which fields are
// sensitive; nil knows none.
func JSONOf(change Change, schemas Schemas) JSON {
	j := JSON{Op: change.Op(), Key: change.Key().String()}
	switch c := change.(type) {
	case *Create:
		j.create(c, schemas)
	case *Update:
		j.record(c.Recorded)
		j.target(&c.Target)
		j.Reasons, j.Fields = c.Reasons, c.Fields
		if c.Op() == OpMove {
			j.From = c.Recorded.Key.String()
		}
	case *Adopt:
		j.record(c.Recorded)
		j.target(&c.Target)
		j.ID, j.Fields = c.ID, c.Fields
	case *Delete:
		j.record(c.Recorded)
		j.Replaced = c.Replaced
	case *Orphan:
		j.record(c.Recorded)
	case *Forget:
		j.record(c.Recorded)
	case *Deploy:
		j.record(c.Recorded)
		j.target(&c.Target)
		j.Reasons = c.Reasons
	case NoOp:
		j.record(c.Recorded)
	}
	return j
}

func (j *JSON) create(c *Create, schemas Schemas) {
	j.record(c.Recorded)
	j.target(&c.Target)
	j.Interrupted, j.Reasons = c.Interrupted(), c.Reasons
	if c.ID != "" {
		j.ID = c.ID
	}
	if c.Replaces {
		j.Fields = c.Fields
	} else {
		j.Fields = Fields(nil, c.Desired, schemas.of(c.Desired.Kind))
	}
}

func (j *JSON) target(t *Target) { j.Type, j.Desired = t.Desired.Type, t.Checksum }

// record fills in what is known of a record, which may be nil.
func (j *JSON) record(r *state.Record) {
	if r != nil {
		j.Type, j.ID, j.Recorded, j.Orphaned = r.Type, r.ID, r.Checksum, r.Orphaned
	}
}

func (s Schemas) of(kind string) *Schema {
	if s == nil {
		return nil
	}
	return s(kind)
}
