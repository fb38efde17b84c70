package filesyncer

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

const (
	digestFile    = "digest.key"
	unnamedDigest = "digest-new-" // a key that is not in its place yet
)

var _ tusync.DigestKeeper = (*Backend)(nil)

// DigestKey returns the key for the digests of sensitive values, nil if there is
// none yet. The error is a *CorruptError if it isn't what was kept.
func (b *Backend) DigestKey(ctx context.Context) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	path := b.path(digestFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, diskError("read", path, err)
	}
	key, err := parseDigest(text)
	if err != nil {
		return nil, &CorruptError{File: path, Err: err, Remedy: "restore it from a copy. " +
			"If there is none, remove it: every resource with a sensitive value then counts as changed, once"}
	}
	// Whoever has just kept it may not have come so far.
	return key, diskError("keep", path, b.disk.SyncDir(b.dir))
}

// KeepDigestKey keeps a key for the digests of sensitive values, unless there is
// one, and returns the one that there is. It needs no lease: of several callers,
// in any number of processes, one keeps its key and all get that. The key must
// not be empty.
func (b *Backend) KeepDigestKey(ctx context.Context, key []byte) ([]byte, error) {
	if len(key) == 0 {
		return nil, errors.New("the digest key is empty")
	}
	const turns = 20 // in each of which somebody takes away what was prepared
	for turn := 1; ; turn++ {
		kept, err := b.DigestKey(ctx)
		if kept != nil || err != nil {
			return kept, err
		}
		if err := b.makeDir(); err != nil {
			return nil, err
		}
		err = b.placeDigest(key)
		if err != nil && !errors.Is(err, fs.ErrExist) && (turn == turns || !errors.Is(err, fs.ErrNotExist)) {
			return nil, diskError("create", b.path(digestFile), err)
		}
	}
}

// placeDigest writes the key to a file and, when that is on the disk, gives it
// its name, which only one file can get. The error is fs.ErrExist if another has
// it.
func (b *Backend) placeDigest(key []byte) error {
	hidden := filepath.Join(b.dir, unnamedDigest+rand.Text())
	f, err := b.disk.Create(hidden)
	if err != nil {
		return err
	}
	_, err = f.Write(appendDigest(nil, key))
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = b.disk.Link(hidden, b.path(digestFile))
	}
	_ = b.disk.RemoveAll(hidden) // else the next writer does
	return err
}

// appendDigest appends what is in the file: the checksum of the key's text, a
// space, and that text, which is hex.
func appendDigest(dst, key []byte) []byte {
	text := hex.AppendEncode(nil, key)
	dst = append(state.Sum(text).AppendText(dst), ' ')
	return append(append(dst, text...), '\n')
}

func parseDigest(line []byte) ([]byte, error) {
	_, text, _ := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte(" "))
	key, err := hex.AppendDecode(nil, text)
	if err != nil || len(key) == 0 || !bytes.Equal(appendDigest(nil, key), line) {
		return nil, errors.New("it doesn't hold a key that fits its checksum")
	}
	return key, nil
}
