package planhtml

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// view is what the page shows. Its texts are escaped as package diff does it.
type view struct {
	Title     string
	Style     template.CSS
	Scope     string
	Facts     []fact
	Counts    []count
	Losses    []string // what would be deleted or replaced
	Warnings  []warning
	Kinds     []*kind
	Orphans   []*entry
	Unchanged int
}

// fact is something there is to say of the plan as a whole.
type fact struct{ Name, Value string }

// count is how many changes of an op there are.
type count struct {
	Op   diff.Op
	N    int
	Text string
}

type warning struct{ At, Text string }

// kind is the entries of a kind, in the order of the plan.
type kind struct {
	Name    string
	Entries []*entry
}

// entry is what becomes of one resource.
type entry struct {
	Op       diff.Op
	Key      state.Key
	Name     string
	Type, ID string
	Verb     string
	Notes    []string
	Reasons  []string
	Deployed bool     // beside what Op says
	Why      []string // it is deployed
	Fields   []field
	Open     bool
}

// manyFields is from how many fields on what is created is folded up at first.
const manyFields = 12

func viewOf(plan *sync.Plan, opts *Options) *view {
	v := &view{Scope: diff.Escape(plan.Base.Scope.String()), Unchanged: plan.Unchanged}
	v.Title = cmp.Or(opts.Title, "Plan of "+v.Scope)
	v.fact("Against", fmt.Sprintf("State %d", plan.Base.Serial))
	if plan.Base.Serial == 0 {
		v.Facts[0].Value = "nothing recorded yet"
	}
	v.fact("Revision", plan.Revision)
	v.fact("By", plan.By)
	v.count(plan)
	for _, w := range slices.Concat(opts.Warnings, plan.Warnings) {
		v.Warnings = append(v.Warnings, warning{diff.Escape(w.Position.String()), diff.Escape(w.Text)})
	}
	v.changes(plan)
	dealt := map[state.Key]bool{}
	for _, c := range plan.Changes {
		dealt[c.Key()] = true
	}
	for i := range plan.Orphans {
		if r := &plan.Orphans[i]; !dealt[r.Key] {
			v.Orphans = append(v.Orphans, recorded(diff.OpOrphan, r))
		}
	}
	return v
}

func (v *view) fact(name, value string) {
	if value != "" {
		v.Facts = append(v.Facts, fact{name, diff.Escape(value)})
	}
}

func (v *view) count(plan *sync.Plan) {
	counts := plan.Counts()
	for _, c := range []count{
		{Op: diff.OpCreate, Text: "to create"}, {Op: diff.OpUpdate, Text: "to update"},
		{Op: diff.OpReplace, Text: "to replace"}, {Op: diff.OpMove, Text: "to rename"},
		{Op: diff.OpAdopt, Text: "to adopt"}, {Op: diff.OpDelete, Text: "to delete"},
		{Op: diff.OpOrphan, Text: "no longer declared"}, {Op: diff.OpForget, Text: "to forget"},
		{Op: diff.OpDeploy, Text: "to deploy"},
	} {
		if c.N = counts[c.Op]; c.N > 0 {
			v.Counts = append(v.Counts, c)
		}
	}
	if n := counts[diff.OpDelete]; n > 0 {
		v.Losses = append(v.Losses, resources(n)+" would be deleted")
	}
	if n := counts[diff.OpReplace]; n > 0 {
		v.Losses = append(v.Losses, resources(n)+" would be deleted and created anew")
	}
}

func resources(n int) string {
	if n == 1 {
		return "1 resource"
	}
	return fmt.Sprintf("%d resources", n)
}

// changes makes an entry for each resource that changes: of the halves of a replace
// one, and a deploy stands with the change that it follows.
func (v *view) changes(plan *sync.Plan) {
	made := map[state.Key]*entry{}
	replaced := map[state.Key]bool{} // IDs by kind
	for _, c := range plan.Changes {
		if create, ok := c.Change.(*diff.Create); ok && create.Replaces {
			replaced[state.Key{Kind: create.Recorded.Kind, Name: create.Recorded.ID}] = true
		}
	}
	for _, c := range plan.Changes {
		if d, ok := c.Change.(*diff.Delete); ok && d.Replaced && replaced[state.Key{Kind: d.Recorded.Kind, Name: d.Recorded.ID}] {
			continue
		}
		if deploy, ok := c.Change.(*diff.Deploy); ok && made[c.Key()] != nil {
			made[c.Key()].Deployed, made[c.Key()].Why = true, escaped(deploy.Reasons)
			continue
		}
		e := entryOf(c.Change, plan.Schemas())
		if c.Op() != diff.OpDelete {
			made[e.Key] = e
		}
		v.add(e)
	}
}

func (v *view) add(e *entry) {
	at := slices.IndexFunc(v.Kinds, func(k *kind) bool { return k.Name == e.Key.Kind })
	if at < 0 {
		at = len(v.Kinds)
		v.Kinds = append(v.Kinds, &kind{Name: e.Key.Kind})
	}
	v.Kinds[at].Entries = append(v.Kinds[at].Entries, e)
}

// entryOf returns what the page says of a change.
func entryOf(change diff.Change, schemas diff.Schemas) *entry {
	j := diff.JSONOf(change, schemas)
	e := &entry{Op: j.Op, Key: change.Key(), Name: diff.Escape(change.Key().Name), Type: diff.Escape(j.Type), Reasons: escaped(j.Reasons)}
	if j.Op != diff.OpCreate || j.Interrupted {
		e.ID = diff.Escape(j.ID)
	}
	e.Verb = verb(j.Op)
	schema := schemas(e.Key.Kind)
	var forced []diff.Field
	switch c := change.(type) {
	case *diff.Create:
		if c.Replaces {
			forced = schema.ImmutableFields(c.Fields)
		} else if c.Interrupted() {
			e.note("its create was interrupted")
		}
	case *diff.Update:
		if j.From != "" {
			e.note("was " + diff.Escape(c.Recorded.Key.Name))
		}
		if j.Orphaned {
			e.note("declared again")
		}
		if c.Prior == nil && c.Recorded.Checksum != c.Checksum {
			e.Reasons = append(e.Reasons, "the recorded declaration is not at hand: which fields change is unknown")
		}
	case *diff.Delete:
		if c.Replaced {
			e.note("it was replaced")
		}
	}
	e.fields(j.Fields, forced)
	e.Open = j.Op != diff.OpCreate || len(e.Fields) <= manyFields
	return e
}

// recorded returns an entry for a record of which nothing changes.
func recorded(op diff.Op, r *state.Record) *entry {
	return &entry{Op: op, Key: r.Key, Name: diff.Escape(r.Key.String()), Type: diff.Escape(r.Type), ID: diff.Escape(r.ID)}
}

func (e *entry) note(text string) { e.Notes = append(e.Notes, text) }

func escaped(texts []string) []string {
	var all []string
	for _, text := range texts {
		all = append(all, diff.Escape(text))
	}
	return all
}

// verb is what is to be done, in a word or two.
func verb(op diff.Op) string {
	switch op {
	case diff.OpMove:
		return "rename"
	case diff.OpOrphan:
		return "no longer declared"
	}
	return string(op)
}
