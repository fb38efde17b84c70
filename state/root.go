package state

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"hash"
)

// A Hasher computes a root: one checksum over a sequence of parts. Parts are
// hashed with their length, so none can be moved over a boundary. The zero
// Hasher is ready to use.
//
// A root is a plain hash over the parts' checksums in key order, not a tree:
// over 100,000 of them it takes a few milliseconds, and what an engine keeps of
// a record between two commits is 32 bytes.
type Hasher struct{ h hash.Hash }

// Add adds one part's checksum.
func (h *Hasher) Add(part Checksum) {
	if h.h == nil {
		h.h = sha256.New()
	}
	h.h.Write(part.sum[:])
}

// Root returns the root over what was added.
func (h *Hasher) Root() Checksum {
	if h.h == nil {
		return Sum(nil)
	}
	root := Checksum{algorithm: algSHA256}
	h.h.Sum(root.sum[:0])
	return root
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

// Part returns what the record adds to the root of its State: the checksum of
// its canonical JSON.
func (r *Record) Part() (Checksum, error) {
	c := canonicals.Get().(*canonicalizer)
	defer canonicals.Put(c)
	b, err := r.AppendJSON(c.scratch[:0])
	if err != nil {
		return Checksum{}, err
	}
	c.scratch = b
	return Sum(b), nil
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
