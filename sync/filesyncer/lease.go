package filesyncer

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	tusync "github.com/trueup-go/trueup/sync"
)

// lease is the right to write, while it lasts. It is a directory, lease-N, with
// one number more than the one before; see doc.go.
type lease struct {
	disk disk
	dir  string // of the State
	n    int64
	// file is lease.jsonl, on which the kernel's lock is held until it is closed.
	file file
	// work is where temporary files are. It is gone when the lease is lost, and
	// what is not there can't be renamed into place.
	work string
}

// The names in a lease's directory.
const (
	leasePrefix   = "lease-"
	unnamedPrefix = leasePrefix + "new-" // a lease that has no number yet
	leaseFile     = "lease.jsonl"
	workPrefix    = "work-"
)

// leaseLine is what a lease's file says: who took it, in its first line, and, in
// later ones, what came to pass. An empty line is a renewal: what counts is the
// time of the file.
type leaseLine struct {
	Owner string    `json:"owner,omitempty"`
	Since time.Time `json:"since,omitzero"`
	// Dies says that the kernel's lock is held on the file, so that the holder's
	// death shows.
	Dies bool `json:"dies,omitempty"`
	// Unfenced says that one who had the lease before may go on writing, until a
	// line with Fenced says that it no longer can.
	Unfenced bool      `json:"unfenced,omitempty"`
	Fenced   time.Time `json:"fenced,omitzero"`
	Released time.Time `json:"released,omitzero"`
}

func leaseDir(dir string, n int64) string {
	return filepath.Join(dir, leasePrefix+strconv.FormatInt(n, 10))
}

// takeLease takes the lease for owner, or says who has it. It also returns who
// had the one before.
func (b *Backend) takeLease(owner string) (*lease, *holder, error) {
	const turns = 20 // each of which somebody else has won
	for turn := 1; ; turn++ {
		last, err := findHolder(b.dir)
		if err != nil {
			return nil, nil, err
		}
		if last.holds(time.Now()) || turn == turns {
			return nil, nil, last.lockedError(b.scope)
		}
		l, err := b.prepareLease(leaseLine{Owner: owner, Unfenced: last.mayGoOn()})
		if errors.Is(err, fs.ErrNotExist) && turn < turns {
			continue // removed by one who has taken the lease meanwhile
		}
		if err != nil {
			return nil, nil, err
		}
		taken, err := l.takeAfter(last)
		if err != nil {
			return nil, nil, err
		}
		if taken {
			return l, last, nil
		}
	}
}

// prepareLease makes everything of a lease but its number.
func (b *Backend) prepareLease(first leaseLine) (*lease, error) {
	token := rand.Text()
	l := &lease{disk: b.disk, dir: filepath.Join(b.dir, unnamedPrefix+token), work: workPrefix + token}
	if err := l.fill(first); err != nil {
		l.discard()
		return nil, diskError("prepare a lease in", l.dir, err)
	}
	return l, nil
}

func (l *lease) fill(first leaseLine) error {
	if err := l.disk.Mkdir(l.dir); err != nil {
		return err
	}
	if err := l.disk.Mkdir(filepath.Join(l.dir, l.work)); err != nil {
		return err
	}
	f, err := l.disk.Create(filepath.Join(l.dir, leaseFile))
	if err != nil {
		return err
	}
	l.file = f
	first.Since, first.Dies = time.Now().UTC(), lock(f)
	return l.write(first)
}

func (l *lease) write(line leaseLine) error {
	text, err := json.Marshal(line)
	if err != nil {
		return err
	}
	_, err = l.file.Write(append(text, '\n'))
	return err
}

// discard removes a lease that has no number.
func (l *lease) discard() {
	if l.file != nil {
		_ = l.file.Close()
	}
	_ = l.disk.RemoveAll(l.dir) // else the next holder does
}

// takeAfter takes the lease after another one that isn't held any more. It tells
// whether it could.
func (l *lease) takeAfter(last *holder) (bool, error) {
	prepared, err := l.file.Stat()
	if err != nil {
		l.discard()
		return false, diskError("look at", l.dir, err)
	}
	// The same clock that stamped the holder's file has stamped this one.
	if last.holds(prepared.ModTime()) {
		l.discard()
		return false, nil
	}
	return l.take(last.n + 1)
}

// take gives the lease its number. It tells whether it could: only one can.
func (l *lease) take(n int64) (bool, error) {
	dir := filepath.Dir(l.dir)
	l.n = n
	err := l.disk.Rename(l.dir, leaseDir(dir, l.n))
	if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
		l.discard()
		return false, nil
	}
	if err != nil {
		l.discard()
		return false, diskError("take", leaseDir(dir, l.n), err)
	}
	l.dir, l.work = dir, filepath.Join(leaseDir(dir, l.n), l.work)
	// While we looked, others may have come and gone, and removed the lease that
	// had this number: then theirs are higher, and ours never counted.
	return l.isHighest()
}

func (l *lease) isHighest() (bool, error) {
	now, err := findHolder(l.dir)
	if err != nil || now.n != l.n {
		_ = l.file.Close()
		return false, err
	}
	return true, nil
}

// clear removes what earlier leases left. Once that is done, what a holder that
// isn't dead had prepared to rename can't be renamed any more.
func (l *lease) clear() error {
	entries, err := os.ReadDir(l.dir)
	if err != nil {
		return diskError("read", l.dir, err)
	}
	for _, e := range entries {
		path := filepath.Join(l.dir, e.Name())
		switch n := leaseNumber(e.Name()); {
		case n > 0 && n < l.n:
			if err := l.disk.RemoveAll(path); err != nil {
				return diskError("remove", path, err)
			}
		case strings.HasPrefix(e.Name(), unnamedPrefix) && !isBeingPrepared(path):
			_ = l.disk.RemoveAll(path) // it may be another one's after all, who then begins anew
		case strings.HasPrefix(e.Name(), unnamedDigest):
			_ = l.disk.RemoveAll(path) // as before
		}
	}
	return nil
}

// isBeingPrepared tells whether somebody alive has made a lease without a number.
func isBeingPrepared(path string) bool {
	f, err := os.Open(filepath.Join(path, leaseFile))
	if err != nil {
		return false
	}
	defer closeRead(f)
	return isLocked(f)
}

// check returns ErrLeaseLost if somebody else has, or has had, the lease. It
// counts as lost when the next holder clears it away, before it reads anything:
// what was done until then, it finds.
func (l *lease) check() error {
	path := filepath.Join(leaseDir(l.dir, l.n), leaseFile)
	mine, err := l.file.Stat()
	if err != nil {
		return diskError("look at", path, err)
	}
	there, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(mine, there) {
		return tusync.ErrLeaseLost
	}
	return diskError("look at", path, err)
}

// why returns ErrLeaseLost in place of an error that comes from having lost the
// lease: the next holder takes away the files that are worked on. (It may have
// died when it had begun to.)
func (l *lease) why(err error) error {
	if err == nil {
		return nil
	}
	_, gone := os.Lstat(l.work)
	if errors.Is(gone, fs.ErrNotExist) || errors.Is(l.check(), tusync.ErrLeaseLost) {
		return tusync.ErrLeaseLost
	}
	return err
}

// renew prolongs the lease and returns until when it is held.
func (l *lease) renew() (time.Time, error) {
	until := time.Now().Add(tusync.LeaseTTL)
	if _, err := l.file.Write([]byte("\n")); err != nil {
		return time.Time{}, diskError("renew", leaseDir(l.dir, l.n), err)
	}
	// Not for the sake of a crash: a file system of another machine learns of
	// the write only now.
	if err := l.file.Sync(); err != nil {
		return time.Time{}, diskError("renew", leaseDir(l.dir, l.n), err)
	}
	return until, l.check()
}

// fenced notes that nobody who had the lease before can write any more.
func (l *lease) fenced() error {
	err := l.write(leaseLine{Fenced: time.Now().UTC()})
	return diskError("write", filepath.Join(leaseDir(l.dir, l.n), leaseFile), err)
}

// release gives the lease up. Its directory stays: the next one counts on from
// its number.
func (l *lease) release() error {
	err := l.check()
	if err == nil {
		err = errors.Join(l.write(leaseLine{Released: time.Now().UTC()}), l.disk.RemoveAll(l.work))
	}
	if cerr := l.file.Close(); err == nil {
		err = cerr
	}
	if errors.Is(err, tusync.ErrLeaseLost) {
		return nil // there is nothing to give up
	}
	return diskError("give up", leaseDir(l.dir, l.n), err)
}

// leaseNumber returns the number of a lease's directory, 0 if it isn't one.
func leaseNumber(name string) int64 {
	digits, ok := strings.CutPrefix(name, leasePrefix)
	if !ok {
		return 0
	}
	return number(digits)
}

// number returns the number that a name is, 0 if it isn't one.
func number(digits string) int64 {
	n, err := strconv.ParseInt(digits, 10, 64)
	const enough = 1 << 62 // nobody gets there by counting
	if err != nil || n <= 0 || n > enough || strconv.FormatInt(n, 10) != digits {
		return 0
	}
	return n
}
