package filesyncer

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"

	"github.com/trueup-go/trueup/state"
)

// sizeOf returns how much of the file the declarations with these checksums are.
func (s *store) sizeOf(live map[state.Checksum]bool) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	var size int64
	for sum, at := range s.lines {
		if live[sum] {
			size += int64(sumSize + 1 + at.size + 1)
		}
	}
	return size
}

// copy writes the lines of the declarations with these checksums to w. A damaged
// line is kept as it is: whoever misses a declaration must be told of it.
func (s *store) copy(ctx context.Context, w io.Writer, live map[state.Checksum]bool) error {
	f, err := os.Open(s.path)
	if err != nil {
		return err
	}
	defer closeRead(f)
	in, out := bufio.NewReaderSize(f, 1<<20), bufio.NewWriterSize(w, 1<<20)
	for {
		line, err := readWhole(in)
		if errors.Is(err, io.EOF) {
			return out.Flush()
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		sum, ok := lineChecksum(line)
		if ok && !live[sum] && state.Sum(line[sumSize+1:]) == sum {
			continue
		}
		out.Write(line)
		out.WriteByte('\n')
	}
}
