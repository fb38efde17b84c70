package filesyncer

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/trueup-go/trueup/state"
)

const (
	historyDir = "history"
	commitsExt = ".jsonl"
	stateExt   = ".json"
)

// archive is what there is of earlier States: files of commits and files of
// States, each named by a serial.
type archive struct {
	dir     string
	scope   state.Scope
	commits []int64 // N.jsonl holds the commits from N on, up to where the next file begins
	states  []int64 // N.json holds the State as of N
}

// openArchive looks which files there are. No directory is an empty archive.
func (b *Backend) openArchive() (*archive, error) {
	a := &archive{dir: b.path(historyDir), scope: b.scope}
	entries, err := os.ReadDir(a.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, diskError("read", a.dir, err)
	}
	for _, e := range entries {
		ext := filepath.Ext(e.Name())
		switch serial := number(e.Name()[:len(e.Name())-len(ext)]); {
		case serial == 0: // not ours
		case ext == commitsExt:
			a.commits = append(a.commits, serial)
		case ext == stateExt:
			a.states = append(a.states, serial)
		}
	}
	slices.Sort(a.commits)
	slices.Sort(a.states)
	return a, nil
}

func (a *archive) commitsFile(first int64) string {
	return filepath.Join(a.dir, strconv.FormatInt(first, 10)+commitsExt)
}

func (a *archive) stateFile(serial int64) string {
	return filepath.Join(a.dir, strconv.FormatInt(serial, 10)+stateExt)
}

// lowest returns the lowest serial of which the State can be had.
func (a *archive) lowest() int64 {
	switch {
	case len(a.commits) > 0 && a.commits[0] == 1:
		return 1
	case len(a.states) > 0:
		return a.states[0]
	}
	return math.MaxInt64
}

// upTo returns the index of the last serial that is not above another one, -1 if
// there is none.
func upTo(serials []int64, serial int64) int {
	i, found := slices.BinarySearch(serials, serial)
	if found {
		return i
	}
	return i - 1
}

// read returns the commits of the ith file.
func (a *archive) read(i int, decode decoder) ([]commit, error) {
	path := a.commitsFile(a.commits[i])
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, diskError("read", path, err)
	}
	j, err := parseJournal(path, text, decode)
	switch {
	case err != nil:
		return nil, a.damaged(err)
	case j.size != int64(len(text)):
		return nil, a.damaged(&CorruptError{File: path, Line: len(j.commits) + 1, Err: errTorn})
	case len(j.commits) == 0 || j.commits[0].Head.Serial != a.commits[i]:
		return nil, a.damaged(&CorruptError{File: path, Err: fmt.Errorf("it doesn't begin with the commit of serial %d", a.commits[i])})
	case j.commits[0].Head.Scope != a.scope:
		return nil, a.damaged(&CorruptError{File: path, Err: fmt.Errorf("it is of %s, not of %s", j.commits[0].Head.Scope, a.scope)})
	}
	if i+1 < len(a.commits) {
		j.commits = j.commits[:min(int64(len(j.commits)), a.commits[i+1]-a.commits[i])]
	}
	return j.commits, nil
}

// open opens the State of a serial that there is a file of.
func (a *archive) open(serial int64) (*snapshot, error) {
	path := a.stateFile(serial)
	s, err := openSnapshot(path)
	switch {
	case err != nil:
		return nil, a.damaged(err)
	case s == nil:
		return nil, diskError("read", path, fs.ErrNotExist)
	case s.head().Serial != serial || s.head().Scope != a.scope:
		s.close()
		return nil, a.damaged(&CorruptError{File: path, Err: fmt.Errorf("it is not the State of %s as of serial %d", a.scope, serial)})
	}
	s.mend = a.damaged
	return s, nil
}

func (a *archive) missing(serial int64) error {
	return a.damaged(&CorruptError{File: a.dir, Err: fmt.Errorf("the commit of serial %d is missing", serial)})
}

// damaged says of a damage what can be done about it.
func (a *archive) damaged(err error) error {
	var corrupt *CorruptError
	if errors.As(err, &corrupt) {
		corrupt.Remedy = fmt.Sprintf("the present State is not concerned. Restore the file from a copy; "+
			"or remove %s: what is in it is then forgotten, and the history begins anew", a.dir)
	}
	return err
}
