package state

import "encoding/binary"

// plain returns how many bytes at the beginning of a JSON string's text are ASCII
// and stand for themselves: some of them, a multiple of 8, as it looks at eight at
// once. Texts are most of what there is to read, and this is several times as fast
// as byte by byte.
func plain(text []byte) int {
	const (
		ones  = 0x0101010101010101
		highs = 0x80 * ones // the highest bit of each byte
	)
	n := 0
	for ; n+8 <= len(text); n += 8 {
		w := binary.LittleEndian.Uint64(text[n:])
		quote, backslash := w^'"'*ones, w^'\\'*ones
		// x-ones sets the highest bit of a byte that is 0, w-' '*ones that of one less
		// than ' '; what it borrows from the next byte is a false alarm at worst.
		if (w|(w-' '*ones)|(quote-ones)&^quote|(backslash-ones)&^backslash)&highs != 0 {
			break
		}
	}
	return n
}
