package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"slices"
)

// A Tree is a set of checksums with a root: one checksum over all of them,
// whatever order they came in. To add or remove one costs the same in a set of
// ten as in one of 100,000, or nearly so, and so does the root after it: a commit
// hashes what it changes.
//
// The checksums are in 256 buckets by their first byte. A bucket's hash is that
// of its members in order, and the root is that of the buckets' hashes. The zero
// Tree is empty and ready to use. It belongs to one goroutine.
type Tree struct{ buckets [256]bucket }

type bucket struct {
	members [][32]byte
	hash    [32]byte // of the members; zero if there are none
	isStale bool     // the hash is to be computed anew
}

// Add adds a part's checksum.
func (t *Tree) Add(part Checksum) {
	b := &t.buckets[part.sum[0]]
	b.members = append(b.members, part.sum)
	b.isStale = true
}

// Remove removes a part's checksum. One that isn't there is no matter.
func (t *Tree) Remove(part Checksum) {
	b := &t.buckets[part.sum[0]]
	if i := slices.Index(b.members, part.sum); i >= 0 {
		b.members = slices.Delete(b.members, i, i+1)
		b.isStale = true
	}
}

// swap removes a part's checksum and adds another, each unless it is zero.
func (t *Tree) swap(was, is Checksum) {
	if was == is {
		return
	}
	if !was.IsZero() {
		t.Remove(was)
	}
	if !is.IsZero() {
		t.Add(is)
	}
}

// Root returns the root over what was added.
func (t *Tree) Root() Checksum {
	whole := sha256.New()
	for i := range t.buckets {
		b := &t.buckets[i]
		if b.isStale {
			b.rehash()
		}
		if len(b.members) > 0 {
			whole.Write([]byte{byte(i)})
			whole.Write(b.hash[:])
		}
	}
	root := Checksum{algorithm: algSHA256}
	whole.Sum(root.sum[:0])
	return root
}

func (b *bucket) rehash() {
	slices.SortFunc(b.members, func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) })
	h := sha256.New()
	for i := range b.members {
		h.Write(b.members[i][:])
	}
	h.Sum(b.hash[:0])
	b.isStale = false
}

// DeclaredPart returns what a resource adds to the declared root: the checksum
// over its key, its checksum and its effective edges. (The checksum covers the
// edges too. But which fields are references is for the kind to say, so a new
// release can add edges without changing a declaration.)
func DeclaredPart(key Key, sum Checksum, edges []Key) Checksum {
	c := canonicals.Get().(*canonicalizer)
	defer canonicals.Put(c)
	w := newObject(c.scratch[:0])
	w.keys("after", sortedKeys(edges))
	w.checksum("checksum", sum)
	w.key("key", key)
	c.scratch = append(w.b, '}')
	return Sum(c.scratch)
}

// DeriveID returns an identity made from what it identifies: the same parts
// give the same ID, on every machine and in any order of events. It is 26
// lower-case letters and digits, and begins with a letter.
func DeriveID(parts ...string) string {
	h := sha256.New()
	var length [8]byte
	for _, part := range parts {
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		h.Write(length[:])
		h.Write([]byte(part))
	}
	sum := h.Sum(nil)
	id := idEncoding.AppendEncode(make([]byte, 0, 26), sum[:16])
	id[0] = "abcdefghijklmnopqrstuvwxyz"[int(sum[16])%26]
	return string(id)
}

//nolint:gochecknoglobals // an encoding is a constant that the language has no form for
var idEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)
