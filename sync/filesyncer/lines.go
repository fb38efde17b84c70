package filesyncer

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// lineReader finds the lines of a file and keeps the start of each.
type lineReader struct {
	r     *bufio.Reader
	pos   int64
	start []byte // of the line, at most sumSize+2 bytes
}

func newLineReader(f io.ReaderAt, from int64) *lineReader {
	const toEnd = 1<<63 - 1
	return &lineReader{r: bufio.NewReaderSize(io.NewSectionReader(f, from, toEnd-from), 256<<10), pos: from}
}

// next returns where the next whole line starts and its size without the
// newline; io.EOF if there is none.
func (l *lineReader) next() (start, size int64, err error) {
	start = l.pos
	l.start = l.start[:0]
	for {
		part, err := l.r.ReadSlice('\n')
		if n := sumSize + 2 - len(l.start); n > 0 {
			l.start = append(l.start, part[:min(n, len(part))]...)
		}
		size += int64(len(part))
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			return 0, 0, err
		}
		l.pos = start + size
		return start, size - 1, nil
	}
}

// readWhole reads a line, without its newline. It is valid until the next read.
func readWhole(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		line = bytes.Clone(line)
		var rest []byte
		rest, err = r.ReadBytes('\n')
		line = append(line, rest...)
	}
	return bytes.TrimSuffix(line, []byte("\n")), err
}
