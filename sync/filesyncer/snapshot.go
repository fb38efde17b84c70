package filesyncer

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"

	"github.com/trueup-go/trueup/state"
)

const snapshotFile = "state.json"

// snapshot is the whole State as of one serial, as state.Encoder wrote it. It
// stays readable after another has taken its place.
type snapshot struct {
	file *os.File
	dec  *state.Decoder
	size int64
	// upgraded is the State if it was written without roots, by a person or an
	// importer: then all of it must be read to know its head.
	upgraded *state.State
	// mend says of a damage what can be done about it; nil: what is usual.
	mend func(error) error
}

// openSnapshot opens a snapshot and reads its head; nil if there is none.
func openSnapshot(path string) (*snapshot, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // none is what a new directory has
	}
	if err != nil {
		return nil, diskError("read", path, err)
	}
	s := &snapshot{file: f}
	info, err := f.Stat()
	if err != nil {
		s.close()
		return nil, diskError("look at", path, err)
	}
	s.size = info.Size()
	if s.dec, err = state.NewDecoder(f); err == nil && s.dec.Head().Root.IsZero() {
		err = s.upgrade()
	}
	if err != nil {
		s.close()
		return nil, damaged(path, 0, err)
	}
	return s, nil
}

func (s *snapshot) upgrade() error {
	s.upgraded = &state.State{}
	for record, err := range s.dec.Records() {
		if err != nil {
			return err
		}
		s.upgraded.Records = append(s.upgraded.Records, record)
	}
	s.upgraded.Head = s.dec.Head()
	s.upgraded.Serial = max(1, s.upgraded.Serial) // it is not nothing
	return nil
}

// head returns the snapshot's head; that of an empty State if there is none.
func (s *snapshot) head() state.Head {
	switch {
	case s == nil:
		return state.Head{}
	case s.upgraded != nil:
		return s.upgraded.Head
	}
	return s.dec.Head()
}

// records yields the snapshot's records, once.
func (s *snapshot) records() iter.Seq2[state.Record, error] {
	return func(yield func(state.Record, error) bool) {
		if s == nil {
			return
		}
		if s.upgraded != nil {
			for i := range s.upgraded.Records {
				if !yield(s.upgraded.Records[i], nil) {
					return
				}
			}
			return
		}
		for record, err := range s.dec.Records() {
			if err != nil {
				err = damaged(s.file.Name(), 0, err)
				if s.mend != nil {
					err = s.mend(err)
				}
			}
			if !yield(record, err) {
				return
			}
		}
	}
}

func (s *snapshot) close() {
	if s != nil {
		closeRead(s.file)
	}
}

// damaged makes a *CorruptError of what a decoder says, unless it is the program
// that is too old, or the disk.
func damaged(path string, line int, err error) error {
	var disk *fs.PathError
	switch {
	case errors.Is(err, state.ErrNewerVersion):
		return fmt.Errorf("%s: %w", path, err)
	case errors.As(err, &disk):
		return diskError("read", path, err)
	}
	return &CorruptError{File: path, Line: line, Err: err}
}
