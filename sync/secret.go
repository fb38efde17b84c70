package sync

import (
	"fmt"
	"log/slog"
)

// concealed is what is printed in the place of a sensitive value.
const concealed = "(sensitive)"

// Secret is text that doesn't print: fmt (with every verb), log/slog and
// encoding/json show "(sensitive)" in its place, also where it is a field of what
// is printed. A field of type Secret in a kind's struct is a sensitive text; see
// Define. JSON text is decoded into a Secret as into a string.
//
// Reveal and a conversion to string give the text itself. So do fmt where the
// Secret is in an unexported field of a struct, and encoding/json where it is the
// key of a map: they don't ask its methods there.
type Secret string

// Reveal returns the text itself.
func (s Secret) Reveal() string { return string(s) }

// String returns "(sensitive)".
func (Secret) String() string { return concealed }

// GoString returns "(sensitive)".
func (Secret) GoString() string { return concealed }

// Format implements fmt.Formatter: it prints "(sensitive)" whatever the verb.
func (Secret) Format(s fmt.State, _ rune) { fmt.Fprint(s, concealed) }

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return slog.StringValue(concealed) }

// MarshalText implements encoding.TextMarshaler, for JSON too.
func (Secret) MarshalText() ([]byte, error) { return []byte(concealed), nil }
