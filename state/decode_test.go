package state_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
)

// A State that was laid out anew is read as it was; one that is no JSON isn't
// read, although each of its lines is whole.
func TestDecodeTakesAnyLayoutOfJSON(t *testing.T) {
	t.Parallel()
	s := manyRecords(5)
	s.Records[2].Pending = []state.Pending{{Op: "update", Serial: 1}}
	var written bytes.Buffer
	require.NoError(t, s.Encode(&written))
	text := written.String()
	var indented, tight bytes.Buffer
	require.NoError(t, json.Indent(&indented, written.Bytes(), "  ", "\t"))
	require.NoError(t, json.Compact(&tight, written.Bytes()))

	for name, layout := range map[string]string{
		"as written":               text,
		"indented":                 indented.String(),
		"on one line":              tight.String(),
		"with empty lines":         strings.ReplaceAll(text, ",\n{", ",\n\n \n{"),
		"with commas at the start": strings.ReplaceAll(text, "},\n{", "}\n,{"),
		"with spaces":              strings.ReplaceAll(text, "},\n", "} , \n"),
		"with Windows' newlines":   strings.ReplaceAll(text, "\n", "\r\n"),
	} {
		read, err := state.Decode(strings.NewReader(layout))
		require.NoError(t, err, name)
		require.Equal(t, s.Records, read.Records, name)
	}
	second := strings.SplitAfter(text[strings.Index(text, "\n{")+1:], "\n")[1]
	for name, broken := range map[string]string{
		"without a comma":       strings.Replace(text, "},\n{", "}\n{", 1),
		"with a comma too many": strings.Replace(text, "}\n]", "},\n]", 1),
		"with two commas":       strings.Replace(text, "},\n{", "},\n,{", 1),
		"without an end":        strings.TrimSuffix(text, "]}\n"),
		"without its last line": strings.Join(strings.SplitAfter(text, "\n")[:15], ""),
		"with a line twice":     strings.Replace(text, second, second+second, 1),
	} {
		_, err := state.Decode(strings.NewReader(broken))
		require.Error(t, err, name)
	}
}
