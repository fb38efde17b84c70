package dbsyncertest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
)

// onFreePort starts something on a free port. Should another process get the port
// first, it tries another one.
func onFreePort(start func(port int) error) error {
	var failed error
	for range 5 {
		port, err := freePort()
		if err != nil {
			return err
		}
		failed = start(port)
		if failed == nil || !strings.Contains(failed.Error(), "Address already in use") {
			return failed
		}
	}
	return failed
}

// freePort finds a port that nobody listens on. It is below those that systems
// choose for outgoing connections: one of them could take it while the server is
// down, even one that tries to reach the server.
func freePort() (int, error) {
	var failed error
	for range 100 {
		port := 15000 + rand.IntN(17000)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return port, l.Close()
		}
		failed = err
	}
	return 0, fmt.Errorf("no free port: %w", failed)
}
