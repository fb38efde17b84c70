package filesyncer

import (
	"context"
	"errors"
	"io/fs"
	"time"

	tusync "github.com/trueup-go/trueup/sync"
)

var _ tusync.Unlocker = (*Backend)(nil)

// Holder returns who holds the lease, nil if nobody does. A holder that died is
// none.
func (b *Backend) Holder(ctx context.Context) (*tusync.LockedError, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	h, err := findHolder(b.dir)
	if err != nil || !h.holds(time.Now()) {
		return nil, err
	}
	return h.lockedError(b.scope), nil
}

// Unlock ends the lease of a holder that Holder, or a *sync.LockedError, told of:
// it takes the lease from it as the next holder does when it has lapsed, and
// gives it up again. If somebody else holds it by now, or nobody, or holder is
// nil, nothing happens.
//
// The errors are those of Begin. After one the holder may have lost the lease all
// the same; it is fenced off by whoever takes it next.
func (b *Backend) Unlock(ctx context.Context, holder *tusync.LockedError) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	const turns = 20 // after each of which the same holder is still there
	for turn := 1; ; turn++ {
		last, err := findHolder(b.dir)
		if err != nil || !last.holds(time.Now()) || !last.is(holder, b.scope) {
			return err
		}
		if turn == turns {
			return last.lockedError(b.scope)
		}
		l, err := b.prepareLease(leaseLine{Owner: "unlocking " + last.first.Owner, Unfenced: true})
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed by one who has taken the lease meanwhile
		}
		if err != nil {
			return err
		}
		taken, err := l.take(last.n + 1)
		if err != nil {
			return err
		}
		if taken {
			t := newTx(b, l)
			return errors.Join(l.why(t.begin(ctx, last)), t.release())
		}
	}
}
