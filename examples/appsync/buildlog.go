package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync/appsync"
)

// buildLog is what has become of builds: a file beside what is recorded, a line for
// each step. It is the host's own, and no part of the State: whoever removes it
// loses nothing but the builds that are still to be made.
//
// A build is of a component as it was declared once: what is said of another
// declaration of it says nothing of this one. So it is no matter that builds are
// noted before a plan is applied which then isn't.
type buildLog struct {
	path  string
	scope string
	mu    sync.Mutex // held while a line is written
}

// buildLine is one line of the log.
type buildLine struct {
	Time      time.Time          `json:"time"`
	Scope     string             `json:"scope"`
	Component string             `json:"component"`
	Checksum  string             `json:"checksum"`
	Phase     appsync.BuildPhase `json:"phase"`
}

// built is what is built: a component as it is declared.
type built struct{ component, checksum string }

func newBuildLog(dir string, scope state.Scope) *buildLog {
	return &buildLog{path: filepath.Join(dir, ".trueup", "builds.jsonl"), scope: scope.String()}
}

// open returns what was to be built and, as far as the log says, was not.
func (l *buildLog) open() (map[built]bool, error) {
	f, err := os.Open(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	return openIn(f, l.scope)
}

func openIn(r io.Reader, scope string) (map[built]bool, error) {
	open := map[built]bool{}
	lines := bufio.NewReader(r)
	for {
		text, err := lines.ReadBytes('\n')
		var line buildLine
		// A line that can't be read is one that a crash cut off.
		if json.Unmarshal(text, &line) == nil && line.Scope == scope && line.Component != "" {
			what := built{line.Component, line.Checksum}
			if line.Phase == appsync.BuildDone {
				delete(open, what)
			} else {
				open[what] = true
			}
		}
		if errors.Is(err, io.EOF) {
			return open, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// add adds lines to the log, all at once.
func (l *buildLog) add(lines ...buildLine) error {
	if len(lines) == 0 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.makeDir(); err != nil {
		return err
	}
	f, err := os.OpenFile(l.path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	text, err := l.encode(f, lines)
	if err == nil {
		_, err = f.Write(text)
	}
	return errors.Join(err, f.Close())
}

// encode returns the lines, after the end of one that a crash cut off.
func (l *buildLog) encode(f *os.File, lines []buildLine) ([]byte, error) {
	var text bytes.Buffer
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if size := info.Size(); size > 0 {
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, size-1); err != nil {
			return nil, err
		}
		if last[0] != '\n' {
			text.WriteByte('\n')
		}
	}
	for _, line := range lines {
		line.Time, line.Scope = time.Now().UTC(), l.scope
		if err := json.NewEncoder(&text).Encode(line); err != nil {
			return nil, err
		}
	}
	return text.Bytes(), nil
}

// makeDir makes the log's directory, which keeps itself out of git.
func (l *buildLog) makeDir() error {
	dir := filepath.Dir(l.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	ignore := filepath.Join(dir, ".gitignore")
	if _, err := os.Stat(ignore); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.WriteFile(ignore, []byte("*\n"), 0o600)
}
