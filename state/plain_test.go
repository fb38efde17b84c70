package state

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPlainStopsBeforeWhatDoesNotStandForItself(t *testing.T) {
	t.Parallel()
	for _, around := range []byte{' ', 'a', 0x7f, '!', '#', '[', ']'} {
		for b := range 256 {
			for at := range 24 {
				text := bytes.Repeat([]byte{around}, 24)
				text[at] = byte(b)
				isPlain := b >= ' ' && b < 0x80 && b != '"' && b != '\\'
				n := plain(text)
				require.Zero(t, n%8)
				if isPlain {
					require.Equal(t, 24, n, "%q at %d among %q", b, at, around)
				} else {
					require.Equal(t, at-at%8, n, "%q at %d among %q", b, at, around)
				}
			}
		}
	}
	require.Zero(t, plain([]byte("short")))
}
