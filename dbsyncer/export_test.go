package dbsyncer

// CheckServer is what Migrate asks of a server's version, for tests: a server that
// is too old may not be at hand.
func CheckServer(number int) error { return checkServer(number) }
