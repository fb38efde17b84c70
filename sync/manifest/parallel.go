package manifest

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// inParallel calls a function with every number below n, each once, in
// GOMAXPROCS goroutines, and waits for them. Each goroutine makes its own
// function.
func inParallel(n int, start func() func(i int)) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			do := start()
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				do(int(i))
			}
		})
	}
	workers.Wait()
}
