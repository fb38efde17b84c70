package filesyncer

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// holder is what others see of the latest lease.
type holder struct {
	n        int64 // 0 if there never was one
	first    leaseLine
	renewed  time.Time
	fenced   bool // or there was nobody to fence off
	released bool
	alive    bool // or not known to be dead
}

// findHolder looks who took the latest lease in dir.
func findHolder(dir string) (*holder, error) {
	var h *holder
	for range 10 { // it may be cleared away before it is read
		n, err := highestLease(dir)
		if err != nil || n == 0 {
			return &holder{fenced: true}, err
		}
		h, err = readHolder(dir, n)
		if !errors.Is(err, fs.ErrNotExist) {
			return h, err
		}
	}
	return h, nil // a directory without a file: its holder died while it was cleared
}

func highestLease(dir string) (int64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, diskError("read", dir, err)
	}
	var highest int64
	for _, e := range entries {
		highest = max(highest, leaseNumber(e.Name()))
	}
	return highest, nil
}

// readHolder reads the lease with a number. What can't be understood was left by
// a crash of the system: nobody is alive who wrote it.
func readHolder(dir string, n int64) (*holder, error) {
	h := &holder{n: n, fenced: true}
	path := filepath.Join(leaseDir(dir, n), leaseFile)
	f, err := os.Open(path)
	if err != nil {
		return h, diskError("read", path, err)
	}
	defer closeRead(f)
	info, err := f.Stat()
	if err != nil {
		return h, diskError("look at", f.Name(), err)
	}
	h.renewed = info.ModTime()
	h.alive = isLocked(f)
	dec := json.NewDecoder(bufio.NewReader(io.LimitReader(f, 1<<20)))
	if err := dec.Decode(&h.first); err != nil {
		return h, nil
	}
	h.alive = h.alive || !h.first.Dies
	h.fenced = !h.first.Unfenced
	for {
		var later leaseLine
		if err := dec.Decode(&later); err != nil {
			return h, nil
		}
		h.fenced = h.fenced || !later.Fenced.IsZero()
		h.released = h.released || !later.Released.IsZero()
	}
}

// holds tells whether the lease is held at a time.
func (h *holder) holds(now time.Time) bool {
	return h.n > 0 && !h.released && h.alive && now.Before(h.expires())
}

// mayGoOn tells whether the holder, or one before, may still be at work although
// it has lost the lease.
func (h *holder) mayGoOn() bool { return h.n > 0 && (!h.fenced || h.alive && !h.released) }

// is tells whether it is the one that somebody else was told of.
func (h *holder) is(told *tusync.LockedError, scope state.Scope) bool {
	return told != nil && told.Scope == scope && told.Owner == h.first.Owner && told.Since.Equal(h.first.Since)
}

func (h *holder) expires() time.Time { return h.renewed.Add(tusync.LeaseTTL) }

func (h *holder) lockedError(scope state.Scope) *tusync.LockedError {
	return &tusync.LockedError{Scope: scope, Owner: h.first.Owner, Since: h.first.Since, Expires: h.expires()}
}
