package diff

// Nearest returns the known name that was most likely meant by name: the one
// that the fewest single-letter edits (one swap of neighbours counts as one)
// lead to, if they are at most a third of its letters. Of equals the first.
// Empty if none is near.
func Nearest(name string, known []string) string {
	best, bestDistance := "", 0
	for _, candidate := range known {
		limit := max(1, max(len(name), len(candidate))/3)
		if best != "" {
			limit = min(limit, bestDistance-1)
		}
		if d := distance(name, candidate, limit); d <= limit {
			best, bestDistance = candidate, d
		}
	}
	return best
}

// distance is the optimal string alignment distance of a and b, or anything
// above limit if it is above limit.
func distance(a, b string, limit int) int {
	if diff := len(a) - len(b); diff > limit || -diff > limit {
		return limit + 1
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, before
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
