package filesyncer

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/trueup-go/trueup/state"
)

// CorruptError says that a file of the directory doesn't hold what was written
// to it. Nothing that is read from it can be relied on, so nothing is returned.
type CorruptError struct {
	// File is the path of the file; Line counts from 1, 0 if it is the whole file.
	File string
	Line int
	// Err says what is wrong with it.
	Err error
	// Remedy says what to do. Empty: restore the directory from a copy.
	Remedy string
}

// Error names the file and the line, and says what to do.
func (e *CorruptError) Error() string {
	at := e.File
	if e.Line > 0 {
		at = fmt.Sprintf("%s:%d", e.File, e.Line)
	}
	return fmt.Sprintf("%s: %v: %s", at, e.Err, cmp.Or(e.Remedy, "restore the directory from a copy"))
}

// Unwrap returns what is wrong with the file.
func (e *CorruptError) Unwrap() error { return e.Err }

// ScopeError says that the directory holds the State of another scope.
type ScopeError struct {
	// Dir is the directory, Want the scope that it was opened for, Got the one
	// whose State it holds.
	Dir       string
	Want, Got state.Scope
}

// Error names both scopes and says what to do.
func (e *ScopeError) Error() string {
	return fmt.Sprintf("%s holds the State of %s, not of %s: each scope needs a directory of its own", e.Dir, e.Got, e.Want)
}

// DiskError says that the file system refused an operation. What was recorded
// before is untouched; errors.Is and errors.As reach the cause.
type DiskError struct {
	// Doing says what was being done: "write", "rename".
	Doing string
	// File is the path of the file or directory.
	File string
	// Err is the cause.
	Err error
}

// Error says what failed, on which file, and what to do.
func (e *DiskError) Error() string {
	return fmt.Sprintf("%s %s: %v%s", e.Doing, e.File, e.cause(), e.advice())
}

// Unwrap returns the cause.
func (e *DiskError) Unwrap() error { return e.Err }

// cause is Err without the path, which Error names already.
func (e *DiskError) cause() error {
	var path *fs.PathError
	var link *linkError
	switch {
	case errors.As(e.Err, &path):
		return path.Err
	case errors.As(e.Err, &link):
		return link.Err
	}
	return e.Err
}

func (e *DiskError) advice() string {
	const safe = "; what was recorded before is safe"
	switch {
	case errors.Is(e.Err, fs.ErrPermission) && e.reads():
		return ": let this user read it"
	case e.reads():
		return ""
	case errors.Is(e.Err, syscall.ENOSPC), errors.Is(e.Err, syscall.EDQUOT):
		return ": free some space and run again" + safe
	case errors.Is(e.Err, syscall.EROFS):
		return ": mount the file system for writing, or use another directory" + safe
	case errors.Is(e.Err, fs.ErrPermission):
		return ": let this user write to the directory, or use another one" + safe
	}
	return safe
}

func (e *DiskError) reads() bool { return e.Doing == "read" || e.Doing == "look at" }

func diskError(doing, file string, err error) error {
	if err == nil {
		return nil
	}
	return &DiskError{Doing: doing, File: file, Err: err}
}
