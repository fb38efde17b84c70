package dbsyncer

// CheckServer is what Migrate asks of a server's version, for tests: a server that
// is too old may not be at hand.
func CheckServer(number int) error { return checkServer(number) }

// Portions are the ranges of texts that go into one statement each.
func Portions(texts []string) (all [][2]int) {
	for from, end := range portions(texts) {
		all = append(all, [2]int{from, end})
	}
	return all
}
