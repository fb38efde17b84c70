package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// plainRoot is the root of a Tree computed anew, from all of its members.
func plainRoot(members []Checksum) Checksum {
	sorted := slices.Clone(members)
	slices.SortFunc(sorted, func(a, b Checksum) int { return bytes.Compare(a.sum[:], b.sum[:]) })
	var whole []byte
	for len(sorted) > 0 {
		first := sorted[0].sum[0]
		var bucket []byte
		for len(sorted) > 0 && sorted[0].sum[0] == first {
			bucket = append(bucket, sorted[0].sum[:]...)
			sorted = sorted[1:]
		}
		hash := sha256.Sum256(bucket)
		whole = append(append(whole, first), hash[:]...)
	}
	return Sum(whole)
}

// part is the nth of some checksums, several of which share a bucket.
func part(n int) Checksum {
	sum := Sum(binary.BigEndian.AppendUint64(nil, uint64(n)))
	if n%2 == 0 {
		sum.sum[0] = byte(n % 5)
	}
	return sum
}

func TestTreeIsWhatItsMembersAre(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var tree Tree
	var members []Checksum
	for range 3000 {
		switch n := len(members); {
		case n > 0 && random.IntN(5) < 2:
			at := random.IntN(n)
			tree.Remove(members[at])
			members = slices.Delete(members, at, at+1)
		case random.IntN(10) == 0:
			tree.Remove(part(1_000_000 + random.IntN(100))) // which was never added
		default: // some of them several times
			added := part(random.IntN(400))
			tree.Add(added)
			members = append(members, added)
		}
		if random.IntN(8) == 0 { // or several come and go between two roots
			require.Equal(t, plainRoot(members), tree.Root())
		}
	}
	for len(members) > 0 {
		tree.Remove(members[0])
		members = members[1:]
	}
	require.Equal(t, (&Tree{}).Root(), tree.Root(), "empty again")
}

func TestTreeForgetsTheOrder(t *testing.T) {
	t.Parallel()
	const n = 300
	var inOrder, other Tree
	for i := range n {
		inOrder.Add(part(i))
	}
	for _, i := range rand.New(rand.NewPCG(3, 4)).Perm(2 * n) { // half of them go again
		other.Add(part(i))
		other.Root()
	}
	require.NotEqual(t, inOrder.Root(), other.Root())
	for i := n; i < 2*n; i++ {
		other.Remove(part(i))
	}
	require.Equal(t, inOrder.Root(), other.Root())
	require.Equal(t, other.Root(), other.Root(), "to ask changes nothing")
}
