package filesyncer

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/state"
)

// PowerDisk knows what of a directory is on the disk, and what the operating
// system has only promised. It calls Step between any two operations.
type PowerDisk struct {
	osDisk
	Step func()

	dir     string
	nodes   map[string]*node // by path, as everybody sees them
	durable map[string]*node // by path, as they are on the disk
	pending []naming
}

// node is a file, whatever its name.
type node struct{ content, durable []byte }

// naming is a change of names that may not be on the disk yet: of a file that
// was made, renamed or removed.
type naming struct {
	from, to string
	node     *node
}

// NewOnPowerDisk is New, for a directory that isn't there yet, on a PowerDisk.
func NewOnPowerDisk(dir string, scope state.Scope, opts *Options) (*Backend, *PowerDisk, error) {
	b, err := New(dir, scope, opts)
	if err != nil {
		return nil, nil, err
	}
	d := &PowerDisk{dir: b.dir, Step: func() {}, nodes: map[string]*node{}, durable: map[string]*node{}}
	b.disk = d
	return b, d, nil
}

// Lose writes to another directory what may be left of this one if the power
// fails now: everything that was synced, and something of the rest.
func (d *PowerDisk) Lose(random *rand.Rand, to string) error {
	left := maps.Clone(d.durable)
	pending := d.pending
	inOrder := random.IntN(2) == 0 // as file systems with a journal have it; others take any
	if inOrder {
		pending = pending[:random.IntN(len(pending)+1)]
	}
	for _, n := range pending {
		if inOrder || random.IntN(2) == 0 {
			n.apply(left)
		}
	}
	for path, node := range left {
		path := filepath.Join(to, strings.TrimPrefix(path, d.dir))
		if err := os.MkdirAll(filepath.Dir(path), dirMode); err != nil {
			return err
		}
		if err := os.WriteFile(path, node.lose(random), fileMode); err != nil {
			return err
		}
	}
	return nil
}

// lose returns what may be left of the content: what was synced and, of what was
// written since, all, nothing, the beginning, or holes.
func (n *node) lose(random *rand.Rand) []byte {
	kept := min(len(n.durable), len(n.content)) // less if it was cut off
	tail := bytes.Clone(n.content[kept:])
	switch random.IntN(4) {
	case 0:
		return n.durable
	case 1:
		return n.content
	case 2:
		return append(bytes.Clone(n.content[:kept]), tail[:random.IntN(len(tail)+1)]...)
	}
	if len(tail) > 0 {
		from := random.IntN(len(tail))
		clear(tail[from : from+random.IntN(len(tail)-from)+1])
	}
	return append(bytes.Clone(n.content[:kept]), tail...)
}

func (n naming) apply(names map[string]*node) {
	delete(names, n.from)
	if n.to != "" {
		names[n.to] = n.node
	}
}

func (d *PowerDisk) name(from, to string, node *node) {
	n := naming{from, to, node}
	n.apply(d.nodes)
	d.pending = append(d.pending, n)
}

func (d *PowerDisk) Create(path string) (file, error) {
	d.Step()
	f, err := d.osDisk.Create(path)
	if err != nil {
		return nil, err
	}
	n := &node{}
	d.name("", path, n)
	return &powerFile{f, n, d}, nil
}

func (d *PowerDisk) Append(path string) (file, error) {
	f, err := d.osDisk.Append(path)
	if err != nil {
		return nil, err
	}
	return &powerFile{f, d.nodes[path], d}, nil
}

func (d *PowerDisk) Rename(from, to string) error {
	d.Step()
	if err := d.osDisk.Rename(from, to); err != nil {
		return err
	}
	for _, path := range slices.Sorted(maps.Keys(d.nodes)) {
		if rest, ok := strings.CutPrefix(path, from); ok && (rest == "" || rest[0] == '/') {
			d.name(path, to+rest, d.nodes[path])
		}
	}
	return nil
}

func (d *PowerDisk) Link(from, to string) error {
	d.Step()
	if err := d.osDisk.Link(from, to); err != nil {
		return err
	}
	d.name("", to, d.nodes[from])
	return nil
}

func (d *PowerDisk) RemoveAll(path string) error {
	d.Step()
	for _, name := range slices.Sorted(maps.Keys(d.nodes)) {
		if rest, ok := strings.CutPrefix(name, path); ok && (rest == "" || rest[0] == '/') {
			d.name(name, "", nil)
		}
	}
	return d.osDisk.RemoveAll(path)
}

// SyncDir brings the names in one directory to the disk, and no others.
func (d *PowerDisk) SyncDir(path string) error {
	d.Step()
	d.pending = slices.DeleteFunc(d.pending, func(n naming) bool {
		here := filepath.Dir(n.from) == path || filepath.Dir(n.to) == path
		if here {
			n.apply(d.durable)
		}
		return here
	})
	return d.osDisk.SyncDir(path)
}

type powerFile struct {
	file
	node *node
	disk *PowerDisk
}

func (f *powerFile) Write(p []byte) (int, error) {
	f.disk.Step()
	f.node.content = append(f.node.content, p...)
	return f.file.Write(p)
}

func (f *powerFile) Truncate(size int64) error {
	f.disk.Step()
	f.node.content = f.node.content[:size]
	return f.file.Truncate(size)
}

func (f *powerFile) Sync() error {
	f.disk.Step()
	f.node.durable = bytes.Clone(f.node.content)
	return f.file.Sync()
}
