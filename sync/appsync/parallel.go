package appsync

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// inParallel calls f with every number below n, in GOMAXPROCS goroutines, and
// waits for them.
func inParallel(n int, f func(i int)) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				f(int(i))
			}
		})
	}
	workers.Wait()
}
