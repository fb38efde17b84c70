package diff

import "slices"

const (
	// maxAlignDepth bounds how often what lies between two anchors is looked at
	// again for anchors.
	maxAlignDepth = 32
	// maxAlignTable is the size up to which a stretch without an anchor is
	// compared each with each.
	maxAlignTable = 1 << 16
)

// align finds equal elements of two lists in the same order: it returns for
// every element of a the index of its counterpart in b, or -1. The counterparts
// ascend. What both begin and end with is matched first, then the longest
// ascending run of the elements that stand once in each (a patience diff), then
// what lies between those in the same way; so an insertion or a removal is found
// as what it is. The cost is n log n: a long stretch in which nothing stands
// just once stays unmatched.
func align[T ~string | ~[]byte](a, b []T) []int {
	to := make([]int, len(a))
	head, tail := ends(a, b)
	for i := range a {
		switch {
		case i < head:
			to[i] = i
		case i >= len(a)-tail:
			to[i] = len(b) - len(a) + i
		default:
			to[i] = -1
		}
	}
	middle := stretch{head, len(a) - tail, head, len(b) - tail}
	if middle.isOneSided() {
		return to
	}
	l := aligner{to: to}
	numbers := make(map[string]int, middle.aEnd-head)
	l.a = numbered(a, middle.a, middle.aEnd, numbers)
	l.b = numbered(b, middle.b, middle.bEnd, numbers)
	l.seen = make([]seen, len(numbers))
	l.match(middle, 0)
	return to
}

// ends returns how many equal elements two lists begin and, behind those, end
// with.
func ends[T ~string | ~[]byte](a, b []T) (head, tail int) {
	short := min(len(a), len(b))
	for head < short && string(a[head]) == string(b[head]) {
		head++
	}
	for head+tail < short && string(a[len(a)-1-tail]) == string(b[len(b)-1-tail]) {
		tail++
	}
	return head, tail
}

// numbered gives every element of a part of a list a number, equal ones the same.
func numbered[T ~string | ~[]byte](list []T, from, to int, numbers map[string]int) []int {
	of := make([]int, to)
	for i := from; i < to; i++ {
		n, known := numbers[string(list[i])]
		if !known {
			n = len(numbers)
			numbers[string(list[i])] = n
		}
		of[i] = n
	}
	return of
}

type aligner struct {
	a, b []int // the elements' numbers
	to   []int
	seen []seen // by number; all zero between two stretches
}

// seen is how often a number stands in a stretch, and where in b.
type seen struct{ inA, inB, at int }

// stretch is a part of both lists.
type stretch struct{ a, aEnd, b, bEnd int }

func (s stretch) isOneSided() bool { return s.a == s.aEnd || s.b == s.bEnd }

func (l *aligner) match(s stretch, depth int) {
	for s.a < s.aEnd && s.b < s.bEnd && l.a[s.a] == l.b[s.b] {
		l.to[s.a] = s.b
		s.a, s.b = s.a+1, s.b+1
	}
	for s.a < s.aEnd && s.b < s.bEnd && l.a[s.aEnd-1] == l.b[s.bEnd-1] {
		s.aEnd, s.bEnd = s.aEnd-1, s.bEnd-1
		l.to[s.aEnd] = s.bEnd
	}
	if s.isOneSided() {
		return
	}
	var anchors [][2]int
	if depth < maxAlignDepth {
		anchors = ascending(l.unique(s))
	}
	if len(anchors) == 0 {
		if (s.aEnd-s.a)*(s.bEnd-s.b) <= maxAlignTable {
			l.table(s)
		}
		return
	}
	for _, anchor := range append(anchors, [2]int{s.aEnd, s.bEnd}) {
		l.match(stretch{s.a, anchor[0], s.b, anchor[1]}, depth+1)
		if anchor[0] < s.aEnd {
			l.to[anchor[0]] = anchor[1]
		}
		s.a, s.b = anchor[0]+1, anchor[1]+1
	}
}

// unique returns where the elements are that stand once in each list.
func (l *aligner) unique(s stretch) [][2]int {
	for _, n := range l.a[s.a:s.aEnd] {
		l.seen[n].inA++
	}
	for i := s.b; i < s.bEnd; i++ {
		l.seen[l.b[i]].inB++
		l.seen[l.b[i]].at = i
	}
	var pairs [][2]int
	for i := s.a; i < s.aEnd; i++ {
		if n := l.seen[l.a[i]]; n.inA == 1 && n.inB == 1 {
			pairs = append(pairs, [2]int{i, n.at})
		}
	}
	for _, n := range l.a[s.a:s.aEnd] {
		l.seen[n] = seen{}
	}
	for _, n := range l.b[s.b:s.bEnd] {
		l.seen[n] = seen{}
	}
	return pairs
}

// ascending returns the longest run of pairs, which ascend in the first, that
// ascend in the second too.
func ascending(pairs [][2]int) [][2]int {
	var ends []int // ends[n] is the pair with the least second one that ends a run of n+1
	before := make([]int, len(pairs))
	for i, pair := range pairs {
		n, _ := slices.BinarySearchFunc(ends, pair[1], func(end, at int) int { return pairs[end][1] - at })
		if n == len(ends) {
			ends = append(ends, i)
		} else {
			ends[n] = i
		}
		if before[i] = -1; n > 0 {
			before[i] = ends[n-1]
		}
	}
	if len(ends) == 0 {
		return nil
	}
	run := make([][2]int, len(ends))
	for n, i := len(ends)-1, ends[len(ends)-1]; n >= 0; n, i = n-1, before[i] {
		run[n] = pairs[i]
	}
	return run
}

// table matches a longest common subsequence of a short stretch.
func (l *aligner) table(s stretch) {
	width := s.bEnd - s.b + 1
	longest := make([]int32, (s.aEnd-s.a+1)*width) // of what is left from here on
	at := func(i, j int) *int32 { return &longest[(i-s.a)*width+j-s.b] }
	for i := s.aEnd - 1; i >= s.a; i-- {
		for j := s.bEnd - 1; j >= s.b; j-- {
			if l.a[i] == l.b[j] {
				*at(i, j) = *at(i+1, j+1) + 1
			} else {
				*at(i, j) = max(*at(i+1, j), *at(i, j+1))
			}
		}
	}
	for i, j := s.a, s.b; i < s.aEnd && j < s.bEnd; {
		switch {
		case l.a[i] == l.b[j]:
			l.to[i] = j
			i, j = i+1, j+1
		case *at(i+1, j) >= *at(i, j+1):
			i++
		default:
			j++
		}
	}
}
