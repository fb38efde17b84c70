package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Checksum is a digest with the algorithm that made it. It is a value: it can
// be compared with == and used as a map key. The zero Checksum stands for
// "none"; its text is empty.
type Checksum struct {
	algorithm algorithm
	sum       [sha256.Size]byte
}

type algorithm uint8

const (
	none algorithm = iota
	algSHA256
)

const sha256Prefix = "sha256:"

// Sum returns the SHA-256 checksum of data.
func Sum(data []byte) Checksum {
	return Checksum{algorithm: algSHA256, sum: sha256.Sum256(data)}
}

// ParseChecksum reads what String wrote: "sha256:" and 64 lower-case hex
// digits, or the empty text for the zero Checksum. An algorithm that this
// version doesn't know is an error that names it.
func ParseChecksum(text string) (Checksum, error) {
	var c Checksum
	err := c.UnmarshalText([]byte(text))
	return c, err
}

// IsZero tells whether there is no checksum.
func (c Checksum) IsZero() bool { return c.algorithm == none }

// String returns the algorithm, a colon and the digest in hex.
func (c Checksum) String() string { return string(c.AppendText(nil)) }

// Hex returns the digest alone in hex, for formats that have no place for the
// algorithm.
func (c Checksum) Hex() string {
	if c.IsZero() {
		return ""
	}
	return hex.EncodeToString(c.sum[:])
}

// AppendText appends the text of String to b.
func (c Checksum) AppendText(b []byte) []byte {
	if c.IsZero() {
		return b
	}
	return hex.AppendEncode(append(b, sha256Prefix...), c.sum[:])
}

// AppendBinary appends the bytes of the sum alone, 32 of SHA-256, and nothing for
// the zero Checksum.
func (c Checksum) AppendBinary(b []byte) ([]byte, error) {
	if c.IsZero() {
		return b, nil
	}
	return append(b, c.sum[:]...), nil
}

// MarshalBinary implements encoding.BinaryMarshaler; see AppendBinary.
func (c Checksum) MarshalBinary() ([]byte, error) { return c.AppendBinary(nil) }

// UnmarshalBinary reads what AppendBinary appends.
func (c *Checksum) UnmarshalBinary(data []byte) error {
	switch len(data) {
	case 0:
		*c = Checksum{}
	case len(c.sum):
		c.algorithm = algSHA256
		copy(c.sum[:], data)
	default:
		return fmt.Errorf("a checksum of %d bytes: want %d", len(data), len(c.sum))
	}
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (c Checksum) MarshalText() ([]byte, error) { return c.AppendText(nil), nil }

// UnmarshalText implements encoding.TextUnmarshaler; see ParseChecksum.
func (c *Checksum) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*c = Checksum{}
		return nil
	}
	digits, ok := bytes.CutPrefix(text, []byte(sha256Prefix))
	if !ok {
		name, _, found := strings.Cut(string(text), ":")
		if !found {
			return fmt.Errorf("checksum %q: want %s and 64 hex digits", text, sha256Prefix)
		}
		return fmt.Errorf("checksum %q: unknown algorithm %q; a newer version may know it", text, name)
	}
	parsed := Checksum{algorithm: algSHA256}
	if len(digits) != 2*sha256.Size || bytes.ContainsAny(digits, "ABCDEF") {
		return fmt.Errorf("checksum %q: want %s and 64 lower-case hex digits", text, sha256Prefix)
	}
	if _, err := hex.Decode(parsed.sum[:], digits); err != nil {
		return fmt.Errorf("checksum %q: %w", text, err)
	}
	*c = parsed
	return nil
}
