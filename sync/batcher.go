package sync

import (
	"context"
	"errors"
	"iter"

	"github.com/trueup-go/trueup/diff"
)

// batcher reads a sequence of changes into batches.
type batcher struct {
	size    int
	batches chan []diff.Change // closed at the end of what is read

	// What follows is valid once batches is closed.
	unchanged int   // NoOps, which are in no batch
	complete  bool  // the sequence came to its end
	err       error // it ended with an error
}

// read reads until the sequence ends or ctx is done. All batches but the last are
// full. Somebody has to take them until batches is closed.
func (b *batcher) read(ctx context.Context, changes iter.Seq2[diff.Change, error]) {
	var batch []diff.Change
	b.err = errors.New("the sequence ended its goroutine") // unless it is seen to end
	defer func() {
		if value := recover(); value != nil {
			b.err = panicError("the sequence", value)
		}
		if len(batch) > 0 {
			b.batches <- batch
		}
		close(b.batches)
	}()
	for change, err := range changes {
		if err == nil && change == nil {
			err = errors.New("the sequence yielded nil")
		}
		if err != nil {
			b.err = err
			return
		}
		if _, ok := change.(diff.NoOp); ok {
			b.unchanged++
		} else if batch = append(batch, change); len(batch) == b.size {
			b.batches <- batch
			batch = make([]diff.Change, 0, b.size)
		}
		if ctx.Err() != nil {
			b.err = nil
			return
		}
	}
	b.err, b.complete = nil, true
}
