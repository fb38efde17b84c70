package filesyncer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/trueup-go/trueup/state"
)

const journalFile = "journal.jsonl"

// A line of the journal is one commit:
//
//	{"sum":"…","base":"…","delta":{"head":…,"records":…,"dropped":…}}
//
// sum is the checksum of what follows its comma. base is the root of the State
// that the delta was made against, so that commits of different histories don't
// join.
const (
	lineStart = `{"sum":"`
	lineSum   = `",`
	lineBase  = `"base":"`
	lineDelta = `","delta":`
)

// sumSize is the length of a checksum's text.
const sumSize = len("sha256:") + 64

// errTorn says that a line was not written to its end.
var errTorn = errors.New("the line doesn't fit its checksum")

// appendLine appends the line of a commit and returns its checksum.
func appendLine(dst []byte, base state.Checksum, delta *state.Delta) ([]byte, state.Checksum, error) {
	const perRecord = 320 // about
	start := len(dst)
	dst = append(slices.Grow(dst, perRecord*(len(delta.Records)+4)), lineStart...)
	dst = append(dst, make([]byte, sumSize)...)
	dst = append(dst, lineSum...)
	body := len(dst)
	dst = append(base.AppendText(append(dst, lineBase...)), lineDelta...)
	bare := *delta
	bare.Declared = nil // they are in a file of their own
	dst, err := bare.AppendJSON(dst)
	if err != nil {
		return nil, state.Checksum{}, err
	}
	dst = append(dst, '}')
	sum := state.Sum(dst[body:])
	sum.AppendText(dst[start+len(lineStart) : start+len(lineStart)])
	return append(dst, '\n'), sum, nil
}

// line is a commit as it is in the journal, its checksum verified.
type line struct {
	sum, base state.Checksum
	delta     json.RawMessage
}

// parseLine reads a line, without its newline. The error is errTorn if the
// checksum doesn't fit.
func parseLine(text []byte) (line, error) {
	var l line
	rest, ok := bytes.CutPrefix(text, []byte(lineStart))
	if !ok || len(rest) < sumSize+len(lineSum) || string(rest[sumSize:sumSize+len(lineSum)]) != lineSum {
		return l, errTorn
	}
	var err error
	if l.sum, err = state.ParseChecksum(string(rest[:sumSize])); err != nil {
		return l, errTorn
	}
	body := rest[sumSize+len(lineSum):]
	if state.Sum(body) != l.sum {
		return l, errTorn
	}
	// From here on it is as it was written.
	base, delta, ok := bytes.Cut(bytes.TrimPrefix(body, []byte(lineBase)), []byte(lineDelta))
	if !ok || !bytes.HasSuffix(delta, []byte("}")) {
		return l, fmt.Errorf("not a commit: %.40q", body)
	}
	if l.base, err = state.ParseChecksum(string(base)); err != nil {
		return l, err
	}
	l.delta = delta[:len(delta)-1]
	return l, nil
}

// head returns the head as of the commit, without reading its records.
func (l *line) head() (state.Head, error) {
	for name, value := range state.Members(l.delta) {
		if string(name) != "head" {
			break
		}
		var delta state.Delta
		text := append(append([]byte(`{"head":`), value...), '}')
		err := delta.UnmarshalJSON(text)
		return delta.Head, err
	}
	return state.Head{}, errors.New("a commit without a head")
}

// commit is a line with its delta read.
type commit struct {
	line
	state.Delta
	size int // of the line, its newline included
}

// decoder reads the delta of a commit's line, or a part of it.
type decoder func(*commit) error

func wholeCommit(c *commit) error { return c.UnmarshalJSON(c.line.delta) }

func headOnly(c *commit) (err error) {
	c.Head, err = c.line.head()
	return err
}

// journal is what the file holds.
type journal struct {
	commits []commit
	// size is that of the whole lines. What is behind it was torn off by a crash.
	size int64
}

// parseJournal reads the journal. A last line that was torn is not part of it; a
// damaged one before is a *CorruptError.
func parseJournal(path string, text []byte, decode decoder) (journal, error) {
	var j journal
	for number := 1; len(text) > 0; number++ {
		raw, rest, whole := bytes.Cut(text, []byte("\n"))
		l, err := parseLine(raw)
		if isTorn(raw, whole, len(rest) == 0, err) {
			return j, nil
		}
		var c commit
		if err == nil {
			c.line = l
			err = decode(&c)
		}
		if err == nil && len(j.commits) > 0 {
			err = j.commits[len(j.commits)-1].leadsTo(&c)
		}
		if err != nil {
			return j, damaged(path, number, err)
		}
		c.line.delta, c.size = nil, len(raw)+1
		j.commits = append(j.commits, c)
		j.size += int64(c.size)
		text = rest
	}
	return j, nil
}

// isTorn tells whether a line is the trace of a crash: without an end, or, being
// the last, with holes where the file system had no data yet. JSON has no NUL.
// (A whole last line that is merely wrong is damage, and reported: who returned
// from that commit may have acted on it.)
func isTorn(raw []byte, whole, last bool, err error) bool {
	if !whole {
		return true
	}
	return last && errors.Is(err, errTorn) && bytes.IndexByte(raw, 0) >= 0
}

// leadsTo tells whether the next commit was made on top of this one.
func (c *commit) leadsTo(next *commit) error {
	return follows(c.Head.Serial, c.Head.Root, next)
}

func follows(serial int64, root state.Checksum, next *commit) error {
	switch {
	case next.Head.Serial != serial+1:
		return fmt.Errorf("the commit of serial %d doesn't follow serial %d", next.Head.Serial, serial)
	case next.base != root:
		return fmt.Errorf("the commit of serial %d was made on another State than the one of serial %d that is here", next.Head.Serial, serial)
	}
	return nil
}

// commitsUpTo returns those of the commits that are not after a serial.
func commitsUpTo(commits []commit, serial int64) []commit {
	if len(commits) == 0 {
		return nil
	}
	n := serial - commits[0].Head.Serial + 1
	return commits[:max(0, min(n, int64(len(commits))))]
}

// readJournal reads a journal. None is an empty one.
func readJournal(path string, decode decoder) (journal, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return journal{}, nil
	}
	if err != nil {
		return journal{}, diskError("read", path, err)
	}
	return parseJournal(path, text, decode)
}

// tail is the end of a journal, as far as the last commit tells it.
type tail struct {
	last line  // zero if there is none
	size int64 // of the whole lines
}

// readTail reads the last commit of a journal, from the end: it costs as much as
// that commit. A journal whose end is damaged is read as a whole, to tell the
// line.
func readTail(path string) (tail, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return tail{}, nil
	}
	if err != nil {
		return tail{}, diskError("read", path, err)
	}
	defer closeRead(f)
	info, err := f.Stat()
	if err != nil {
		return tail{}, diskError("look at", path, err)
	}
	t := tail{size: info.Size()}
	for first := true; t.size > 0; first = false {
		raw, whole, start, err := lastLine(f, t.size)
		if err != nil {
			return tail{}, diskError("read", path, err)
		}
		t.last, err = parseLine(raw)
		if err == nil && whole {
			return t, nil
		}
		if !first || !isTorn(raw, whole, true, err) {
			if _, err := readJournal(path, wholeCommit); err != nil {
				return tail{}, err
			}
			return tail{}, &CorruptError{File: path, Err: errors.New("it changes while it is read")}
		}
		t.last, t.size = line{}, start
	}
	return t, nil
}

// lastLine returns the line that ends at size, whether it has its newline, and
// where it starts.
func lastLine(r io.ReaderAt, size int64) (raw []byte, whole bool, start int64, err error) {
	const block = 64 << 10
	end := size
	var parts [][]byte // from the last to the first
	for start = size; start > 0; {
		n := min(start, block)
		buf := make([]byte, n)
		if _, err := r.ReadAt(buf, start-n); err != nil {
			return nil, false, 0, err
		}
		if start == size && buf[n-1] == '\n' {
			whole, end = true, size-1
			buf = buf[:n-1]
		}
		if i := bytes.LastIndexByte(buf, '\n'); i >= 0 {
			parts = append(parts, buf[i+1:])
			start = start - n + int64(i) + 1
			break
		}
		parts = append(parts, buf)
		start -= n
	}
	raw = make([]byte, 0, end-start)
	for i := len(parts) - 1; i >= 0; i-- {
		raw = append(raw, parts[i]...)
	}
	return raw, whole, start, nil
}
