package apisyncer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	"github.com/trueup-go/trueup/apisyncer/internal/wire"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// Head returns the State's head. The digest key comes with it, for who may write.
func (b *Backend) Head(ctx context.Context) (state.Head, error) {
	var head wire.Head
	if err := b.call(ctx, request{method: http.MethodGet, path: "head", query: url.Values{"key": {"1"}}}, &head); err != nil {
		return state.Head{}, b.failed("read the head", err)
	}
	if len(head.DigestKey) > 0 {
		b.key.Store(&head.DigestKey)
	} else {
		b.noKey.Store(true)
	}
	b.withheld.Store(head.KeyWithheld)
	return head.State(), nil
}

// Records yields the records in key order, when all of them are there.
func (b *Backend) Records(ctx context.Context) iter.Seq2[state.Record, error] {
	return func(yield func(state.Record, error) bool) {
		records, err := b.recordsOf(ctx, request{method: http.MethodGet, path: "records"}, nil)
		if err != nil {
			yield(state.Record{}, b.failed("read the records", err))
			return
		}
		for i := range records {
			if !yield(records[i], nil) {
				return
			}
		}
	}
}

// recordsOf returns the records of an answer, which may have a head before them.
func (b *Backend) recordsOf(ctx context.Context, q request, head *state.Head) (records []state.Record, err error) {
	err = b.lines(ctx, q, func(line *wire.Line) error {
		switch {
		case line.Record != nil:
			records = append(records, *line.Record)
		case line.Head != nil && head != nil:
			*head = line.Head.State()
		default:
			return errLine
		}
		return nil
	})
	return records, err
}

var errLine = errors.New("a line that doesn't belong there: upgrade this program")

// Declared returns the declarations with these checksums.
func (b *Backend) Declared(ctx context.Context, sums []state.Checksum) (map[state.Checksum]state.Resource, error) {
	found := make(map[state.Checksum]state.Resource, len(sums))
	if len(sums) == 0 {
		return found, ctx.Err()
	}
	err := b.lines(ctx, request{method: http.MethodPost, path: "declared", body: wire.Declared{Checksums: sums}}, func(line *wire.Line) error {
		if line.Resource == nil {
			return errLine
		}
		sum, err := line.Resource.Checksum()
		found[sum] = *line.Resource
		return err
	})
	return found, b.failed("read declarations", err)
}

// History yields the heads of the States that are kept, newest first.
func (b *Backend) History(ctx context.Context) iter.Seq2[state.Head, error] {
	return func(yield func(state.Head, error) bool) {
		var heads []state.Head
		err := b.lines(ctx, request{method: http.MethodGet, path: "history"}, func(line *wire.Line) error {
			if line.Head == nil {
				return errLine
			}
			heads = append(heads, line.Head.State())
			return nil
		})
		if err != nil {
			yield(state.Head{}, b.failed("read the history", err))
			return
		}
		for _, head := range heads {
			if !yield(head, nil) {
				return
			}
		}
	}
}

// StateAt returns the State as of a serial.
func (b *Backend) StateAt(ctx context.Context, serial int64) (state.Head, iter.Seq2[state.Record, error], error) {
	var head state.Head
	records, err := b.recordsOf(ctx, request{method: http.MethodGet, path: "states/" + strconv.FormatInt(serial, 10)}, &head)
	if err != nil {
		return state.Head{}, nil, b.failed(fmt.Sprintf("read State %d", serial), err)
	}
	return head, func(yield func(state.Record, error) bool) {
		for i := range records {
			if err := ctx.Err(); err != nil {
				yield(state.Record{}, err)
				return
			}
			if !yield(records[i], nil) {
				return
			}
		}
	}, nil
}

// DigestKey returns the key that is kept, nil if there is none yet. What came with the
// head is not asked for again.
func (b *Backend) DigestKey(ctx context.Context) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, b.failed("read the digest key", err)
	}
	if key := b.key.Load(); key != nil {
		return bytes.Clone(*key), nil
	}
	if b.withheld.Load() {
		return nil, b.failed("read the digest key", tusync.ErrDigestKeyWithheld)
	}
	if b.noKey.Swap(false) {
		return nil, nil
	}
	var kept wire.DigestKey
	if err := b.call(ctx, request{method: http.MethodGet, path: "digest-key"}, &kept); err != nil {
		return nil, b.failed("read the digest key", err)
	}
	return b.keep(kept), nil
}

// KeepDigestKey keeps a key, unless there is one.
func (b *Backend) KeepDigestKey(ctx context.Context, key []byte) ([]byte, error) {
	var kept wire.DigestKey
	if err := b.call(ctx, request{method: http.MethodPut, path: "digest-key", body: wire.DigestKey{Key: key}}, &kept); err != nil {
		return nil, b.failed("keep the digest key", err)
	}
	return b.keep(kept), nil
}

func (b *Backend) keep(kept wire.DigestKey) []byte {
	if len(kept.Key) == 0 {
		return nil
	}
	b.key.Store(&kept.Key)
	return bytes.Clone(kept.Key)
}

// Holder returns who holds the lease, nil if nobody does.
func (b *Backend) Holder(ctx context.Context) (*tusync.LockedError, error) {
	var lease wire.Lease
	if err := b.call(ctx, request{method: http.MethodGet, path: "lease"}, &lease); err != nil {
		return nil, b.failed("read who holds the lease", err)
	}
	return lease.Holder.Locked(b.scope), nil
}

// Unlock ends the lease of a holder, if it is still that one's.
func (b *Backend) Unlock(ctx context.Context, holder *tusync.LockedError) error {
	if holder == nil || holder.Scope != b.scope {
		return ctx.Err()
	}
	err := b.call(ctx, request{method: http.MethodDelete, path: "lease", body: wire.Lease{Holder: wire.HolderOf(holder)}}, nil)
	return b.failed("end the lease", err)
}

// Observe asks what each of the records is now. Where the server's backend can't tell it
// is as recorded.
func (b *Backend) Observe(ctx context.Context, records []state.Record) []tusync.Live {
	lives := make([]tusync.Live, 0, len(records))
	err := b.lines(ctx, request{method: http.MethodPost, path: "observations", body: wire.Observe{Records: records}}, func(line *wire.Line) error {
		if line.Live == nil || len(lives) == len(records) {
			return errLine
		}
		lives = append(lives, tusync.Live{ID: line.Live.ID, Config: line.Live.Config, Err: line.Live.Problem.Err()})
		return nil
	})
	if err == nil && len(lives) < len(records) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		lives = make([]tusync.Live, len(records))
		for i := range lives {
			if lives[i].ID = records[i].ID; !errors.Is(err, errors.ErrUnsupported) {
				lives[i] = tusync.Live{Err: b.failed("observe "+records[i].String(), err)}
			}
		}
	}
	return lives
}

// failed says what could not be done for which scope.
func (b *Backend) failed(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s of %s: %w", what, b.scope, err)
}
