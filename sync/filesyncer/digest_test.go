package filesyncer_test

import (
	"bytes"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync/filesyncer"
	"github.com/trueup-go/trueup/sync/syncertest"
)

func digestKey(n byte) []byte { return bytes.Repeat([]byte{n}, 32) }

// The key is in a file of its own, for its owner alone, and nothing is left of
// how it came there.
func TestDigestKeyAtRest(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	key, err := open(t, dir).KeepDigestKey(t.Context(), []byte("\x00secret"))
	require.NoError(t, err)
	require.Equal(t, []byte("\x00secret"), key)
	require.Equal(t, map[string]fs.FileMode{".": fs.ModeDir | 0o700, ".gitignore": 0o600, "digest.key": 0o600}, list(t, dir))
	text, err := os.ReadFile(filepath.Join(dir, "digest.key"))
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(string(text), " 00736563726574\n"), "%q", text)
}

// A key that isn't what was kept is reported, and not replaced.
func TestDamagedDigestKey(t *testing.T) {
	t.Parallel()
	dir := prepared(t)
	path := filepath.Join(dir, "digest.key")
	_, err := open(t, dir).KeepDigestKey(t.Context(), digestKey(1))
	require.NoError(t, err)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for name, text := range map[string][]byte{
		"empty": nil, "cut off": whole[:len(whole)/2], "without its end": whole[:len(whole)-1], "holes": make([]byte, len(whole)),
		"changed": bytes.Replace(whole, []byte("01"), []byte("02"), 1), "by hand": []byte("my own key\n"),
		"of another checksum": bytes.Replace(whole, whole[10:12], []byte("xx"), 1), "more": append(bytes.Clone(whole), whole...),
	} {
		require.NoError(t, os.WriteFile(path, text, 0o600))
		_, err := open(t, dir).DigestKey(t.Context())
		var corrupt *filesyncer.CorruptError
		require.ErrorAs(t, err, &corrupt, name)
		require.Equal(t, path, corrupt.File)
		require.ErrorContains(t, err, "restore it from a copy")
		require.ErrorContains(t, err, "every resource with a sensitive value then counts as changed")
		require.NotContains(t, err.Error(), "my own key")
		_, err = open(t, dir).KeepDigestKey(t.Context(), digestKey(2))
		require.ErrorAs(t, err, &corrupt, name)
		left, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(text), string(left))
	}
	require.NoError(t, os.WriteFile(path, whole, 0o600))
	key, err := open(t, dir).DigestKey(t.Context())
	require.NoError(t, err)
	require.Equal(t, digestKey(1), key)
}

// The disk may fail at any point: either the key is kept or it isn't, and it is
// kept if anybody was told so.
func TestKeepingADigestKeyFails(t *testing.T) {
	t.Parallel()
	total := 100
	for at := 1; at <= total; at++ {
		dir := newDir(t)
		n, where := 0, ""
		b, err := filesyncer.NewStepping(dir, scope(), nil, func(op, path string) error {
			if n++; n == at {
				where = op + " " + path
				return syscall.ENOSPC
			}
			return nil
		})
		require.NoError(t, err)
		key, err := b.KeepDigestKey(t.Context(), digestKey(1))
		if where == "" {
			total = n
		}
		if err != nil {
			require.ErrorIs(t, err, syscall.ENOSPC)
			var disk *filesyncer.DiskError
			require.ErrorAs(t, err, &disk, where)
		}
		again, aerr := open(t, dir).KeepDigestKey(t.Context(), digestKey(2))
		require.NoError(t, aerr, where)
		require.Contains(t, [][]byte{digestKey(1), digestKey(2)}, again, where)
		if err == nil {
			require.Equal(t, key, again, where)
		}
		write(t, open(t, dir), "one")
		for name := range list(t, dir) {
			require.NotContains(t, name, "digest-new", where)
		}
	}
	require.Greater(t, total, 10)
}

// When the power fails, whoever was told of a key finds it again.
func TestPowerFailsWhileADigestKeyIsKept(t *testing.T) {
	t.Parallel()
	for turn := range syncertest.Soak(80) {
		random := rand.New(rand.NewPCG(uint64(turn), 3))
		b, disk, err := filesyncer.NewOnPowerDisk(newDir(t), scope(), nil)
		require.NoError(t, err)
		var told []byte
		disk.Step = func() {
			left := newDir(t)
			require.NoError(t, disk.Lose(random, left))
			key, err := open(t, left).DigestKey(t.Context())
			require.NoError(t, err)
			if told != nil {
				require.Equal(t, told, key)
			} else if key != nil {
				require.Equal(t, digestKey(1), key)
			}
			write(t, open(t, left), "z")
		}
		told, err = b.KeepDigestKey(t.Context(), digestKey(1))
		require.NoError(t, err)
		disk.Step()
	}
}

// Who reads a key that somebody else has put in its place, and not made safe yet,
// makes it safe.
func TestDigestKeyThatIsReadIsSafe(t *testing.T) {
	t.Parallel()
	for turn := range uint64(6) {
		random := rand.New(rand.NewPCG(turn, 4))
		b, disk, err := filesyncer.NewOnPowerDisk(newDir(t), scope(), nil)
		require.NoError(t, err)
		n := 0
		disk.Step = func() {
			step := disk.Step
			disk.Step = func() {}
			defer func() { disk.Step = step }()
			n++
			key, err := b.DigestKey(t.Context())
			require.NoError(t, err)
			left := newDir(t)
			require.NoError(t, disk.Lose(random, left))
			if key != nil {
				kept, err := open(t, left).DigestKey(t.Context())
				require.NoError(t, err)
				require.Equal(t, key, kept)
			}
		}
		_, err = b.KeepDigestKey(t.Context(), digestKey(1))
		require.NoError(t, err)
		require.Greater(t, n, 4)
	}
}

// FuzzDigestKey reads anything as a key: the one that was kept, or none at all.
func FuzzDigestKey(f *testing.F) {
	f.Add([]byte{})
	f.Add(filesyncer.AppendDigest(nil, digestKey(1)))
	f.Fuzz(func(t *testing.T, text []byte) {
		key, err := filesyncer.ParseDigest(text)
		if err != nil {
			return
		}
		require.NotEmpty(t, key)
		require.Equal(t, string(text), string(filesyncer.AppendDigest(nil, key)))
	})
}
