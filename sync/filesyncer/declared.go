package filesyncer

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/trueup-go/trueup/state"
)

const declaredFile = "declared.jsonl"

// store is the file of declarations, a line each: checksum, space, canonical
// JSON. Lines are added, never changed. What is kept of it in memory is where
// each line begins, as far as it was looked at.
type store struct {
	path string

	mu      sync.Mutex
	info    fs.FileInfo // of the file that was looked at
	lines   map[state.Checksum]span
	scanned int64 // bytes looked at, in whole lines
	count   int   // lines looked at
	checked bool  // every one of them fits its checksum
}

// span is where the JSON of a line is.
type span struct {
	start int64
	size  int
}

func newStore(dir string) *store { return &store{path: filepath.Join(dir, declaredFile)} }

// get returns the declarations with these checksums, as far as there are any.
func (s *store) get(ctx context.Context, sums []state.Checksum) (map[state.Checksum]state.Resource, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := make(map[state.Checksum]state.Resource, len(sums))
	f, err := s.open()
	if f == nil || err != nil {
		return found, err
	}
	defer closeRead(f)
	for _, sum := range sums {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		at, ok := s.lines[sum]
		if !ok {
			// It never was here; or it was, and its line is damaged.
			if err := s.check(f); err != nil {
				return nil, err
			}
			continue
		}
		if found[sum], err = s.read(f, sum, at); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// look reads what was added to the file since the last time, and returns the
// size of its whole lines.
func (s *store) look() (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.open()
	if f == nil || err != nil {
		return 0, err
	}
	return s.scanned, f.Close()
}

// appendNew appends the line of a declaration to dst, unless the file has it.
func (s *store) appendNew(dst []byte, r *state.Resource) ([]byte, error) {
	if err := r.Key.Validate(); err != nil {
		return dst, err
	}
	start := len(dst)
	dst = append(dst, make([]byte, sumSize)...)
	dst, err := r.AppendJSON(append(dst, ' '))
	if err != nil {
		return dst[:start], err
	}
	sum := state.Sum(dst[start+sumSize+1:])
	s.mu.Lock()
	_, known := s.lines[sum]
	s.mu.Unlock()
	if known {
		return dst[:start], nil
	}
	sum.AppendText(dst[start:start])
	return append(dst, '\n'), nil
}

// open opens the file and looks at what is new in it; nil if there is no file.
func (s *store) open() (*os.File, error) {
	f, err := os.Open(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		s.forget(nil)
		return nil, nil // none is what a new directory has
	}
	if err != nil {
		return nil, diskError("read", s.path, err)
	}
	info, err := f.Stat()
	if err == nil {
		if s.info == nil || !os.SameFile(s.info, info) || info.Size() < s.scanned {
			s.forget(info)
		}
		if info.Size() > s.scanned {
			err = s.scan(f)
		}
	}
	if err != nil {
		closeRead(f)
		return nil, diskError("read", s.path, err)
	}
	return f, nil
}

func (s *store) forget(info fs.FileInfo) {
	s.info, s.lines, s.scanned, s.count, s.checked = info, map[state.Checksum]span{}, 0, 0, true
}

// scan notes the lines behind those that are known. A last line without an end
// is left for later: it is being written, or its writer died.
func (s *store) scan(f *os.File) error {
	r := newLineReader(f, s.scanned)
	for {
		start, size, err := r.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		s.checked = false
		s.scanned = start + size + 1
		s.count++
		if sum, ok := lineChecksum(r.start); ok {
			const prefix = sumSize + 1
			s.lines[sum] = span{start: start + int64(prefix), size: int(size) - prefix}
		}
	}
}

// lineChecksum reads the checksum that a line begins with.
func lineChecksum(line []byte) (state.Checksum, bool) {
	if len(line) < sumSize+2 || line[sumSize] != ' ' || line[sumSize+1] != '{' {
		return state.Checksum{}, false
	}
	sum, err := state.ParseChecksum(string(line[:sumSize]))
	return sum, err == nil
}

// read reads one declaration and verifies it.
func (s *store) read(f *os.File, sum state.Checksum, at span) (state.Resource, error) {
	var r state.Resource
	text := make([]byte, at.size)
	if _, err := f.ReadAt(text, at.start); err != nil {
		return r, diskError("read", s.path, err)
	}
	err := errTorn
	if state.Sum(text) == sum {
		err = r.UnmarshalJSON(text)
	}
	if err != nil {
		return r, &CorruptError{File: s.path, Line: s.lineAt(f, at.start), Err: err}
	}
	return r, nil
}

// check verifies every line, unless that was done before: a line whose checksum
// is damaged can't be found, and must not pass for one that never was.
func (s *store) check(f *os.File) error {
	if s.checked {
		return nil
	}
	r := bufio.NewReaderSize(io.NewSectionReader(f, 0, s.scanned), 1<<20)
	for number := 1; number <= s.count; number++ {
		line, err := readWhole(r)
		if err != nil {
			return diskError("read", s.path, err)
		}
		if sum, ok := lineChecksum(line); !ok || state.Sum(line[sumSize+1:]) != sum {
			return &CorruptError{File: s.path, Line: number, Err: errTorn}
		}
	}
	s.checked = true
	return nil
}

// lineAt returns the number of the line that a place in the file is in.
func (s *store) lineAt(f *os.File, offset int64) int {
	r := newLineReader(f, 0)
	for number := 1; ; number++ {
		start, size, err := r.next()
		if err != nil {
			return 0
		}
		if offset <= start+size {
			return number
		}
	}
}
