package state

import "fmt"

// A Part is what one record adds to the Tally of its State. The zero Part is that
// of no record. It is a value: it can be compared with ==.
type Part struct {
	// Root is what it adds to the root: the checksum of its canonical JSON.
	Root Checksum
	// Declared is what it adds to the declared root (see DeclaredPart), zero for an
	// orphan.
	Declared Checksum
	// Unfinished says that the record is; see Record.Unfinished.
	Unfinished bool
}

// Part returns the record's part.
func (r *Record) Part() (Part, error) {
	root, err := r.sum()
	if err != nil {
		return Part{}, err
	}
	return PartOf(r, root), nil
}

// PartOf returns the part of a record whose canonical JSON, which is at hand, has
// the checksum root: it is Part without encoding the record again.
func PartOf(r *Record, root Checksum) Part {
	p := Part{Root: root, Unfinished: r.Unfinished()}
	if !r.Orphaned {
		p.Declared = DeclaredPart(r.Key, r.Checksum, r.After)
	}
	return p
}

// sum returns the checksum of the record's canonical JSON.
func (r *Record) sum() (Checksum, error) {
	c := canonicals.Get().(*canonicalizer)
	defer canonicals.Put(c)
	b, err := r.AppendJSON(c.scratch[:0])
	if err != nil {
		return Checksum{}, err
	}
	c.scratch = b
	return Sum(b), nil
}

// A Tally is what the records of a State make together, and its Head says: the two
// roots and the counts. A commit costs it what it changes, whatever the size of
// the State. The zero Tally is that of no records. It belongs to one goroutine.
type Tally struct {
	root, declared               Tree
	records, orphans, unfinished int
}

// Swap takes out the part that a record was, and adds the one that it is: the zero
// Part where there is none. What is the same in both costs nothing.
func (t *Tally) Swap(was, is Part) {
	t.count(&was, -1)
	t.count(&is, +1)
	t.root.swap(was.Root, is.Root)
	t.declared.swap(was.Declared, is.Declared)
}

func (t *Tally) count(p *Part, by int) {
	if *p == (Part{}) {
		return
	}
	t.records += by
	if p.Declared.IsZero() {
		t.orphans += by
	}
	if p.Unfinished {
		t.unfinished += by
	}
}

// Seal returns head with its version, and with the roots and counts of the tally.
func (t *Tally) Seal(head Head) Head {
	head.Version = DefaultStateVersion
	head.Root, head.Declared = t.root.Root(), t.declared.Root()
	head.Records, head.Orphans, head.Pending = t.records, t.orphans, t.unfinished
	return head
}

// Fits returns an error if head's roots and counts are not the tally's: a
// *ChecksumError without a key if it is a root.
func (t *Tally) Fits(head *Head) error {
	switch is := t.Seal(*head); {
	case is.Root != head.Root:
		return &ChecksumError{Want: head.Root, Got: is.Root}
	case is.Declared != head.Declared:
		return &ChecksumError{Want: head.Declared, Got: is.Declared}
	case is.Records != head.Records || is.Orphans != head.Orphans || is.Pending != head.Pending:
		return fmt.Errorf("the head counts %d records, %d orphans, %d pending; there are %d, %d, %d",
			head.Records, head.Orphans, head.Pending, is.Records, is.Orphans, is.Pending)
	}
	return nil
}

// tallyOf returns the tally of records in key order.
func tallyOf(records []Record) (*Tally, error) {
	var t orderly
	for i := range records {
		sum, err := records[i].sum()
		if err != nil {
			return nil, err
		}
		if err := t.add(&records[i], sum); err != nil {
			return nil, err
		}
	}
	return &t.Tally, nil
}

// orderly is a Tally that takes records in key order alone.
type orderly struct {
	Tally
	last Key
}

// add adds a record whose canonical JSON has the checksum sum.
func (t *orderly) add(r *Record, sum Checksum) error {
	if t.records > 0 && t.last.Compare(r.Key) >= 0 {
		return fmt.Errorf("the records %s and %s are not in key order", t.last, r.Key)
	}
	t.last = r.Key
	t.Swap(Part{}, PartOf(r, sum))
	return nil
}
