package canary_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync/internal/canary"
)

func values() []string {
	return []string{"hunter2-of-the-test", `a "quoted" \ one <&> of the test`, "grüße, ключ 🔑\nof the test\n", "9182736455463728"}
}

func TestEveryFormIsFound(t *testing.T) {
	t.Parallel()
	marshal := func(v any) string {
		b, err := json.Marshal(v)
		require.NoError(t, err)
		return string(b)
	}
	for name, encode := range map[string]func(v string) string{
		"plain":             func(v string) string { return v },
		"trimmed":           strings.TrimSpace,
		"JSON":              func(v string) string { return marshal(map[string]any{"token": []string{v}}) },
		"JSON in JSON":      func(v string) string { return marshal(map[string]string{"error": marshal(v)}) },
		"%q":                func(v string) string { return fmt.Sprintf("%q", v) },
		"%+q":               func(v string) string { return fmt.Sprintf("%+q", v) },
		"%q of JSON":        func(v string) string { return fmt.Sprintf("%q", marshal(v)) },
		"%v of bytes":       func(v string) string { return fmt.Sprint(json.RawMessage(marshal([]string{"x", v}))) },
		"%#v of bytes":      func(v string) string { return fmt.Sprintf("%#v", []byte("x"+v)) },
		"bytes in JSON":     func(v string) string { return marshal(struct{ B [3]int }{[3]int{1, 2, 3}}) + bytesInJSON(v) },
		"hex":               func(v string) string { return hex.EncodeToString([]byte("x" + v + "y")) },
		"%X":                func(v string) string { return fmt.Sprintf("%X", v) },
		"a query":           func(v string) string { return url.Values{"a": {v}}.Encode() },
		"a path":            url.PathEscape,
		"a user's password": func(v string) string { return (&url.URL{User: url.UserPassword("root", v), Host: "db"}).String() },
		"base64":            func(v string) string { return base64.StdEncoding.EncodeToString([]byte(v)) },
		"base64 of a pair":  func(v string) string { return base64.URLEncoding.EncodeToString([]byte("root:" + v)) },
		"base64 in a text":  func(v string) string { return base64.RawURLEncoding.EncodeToString([]byte("it is " + v + ".")) },
		"base64 of JSON":    func(v string) string { return base64.StdEncoding.EncodeToString([]byte(marshal([]string{v}))) },
	} {
		for _, v := range values() {
			text := "before " + encode(v) + " after"
			require.NotEmpty(t, canary.New(v).Find([]byte(text)), "%s: %s", name, text)
			require.Empty(t, canary.New("something else").Find([]byte(text)))
		}
	}
}

func bytesInJSON(v string) string {
	var list []int
	for _, b := range []byte(v) {
		list = append(list, int(b))
	}
	text, err := json.Marshal(list)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// open shows what it has, and formatted only to those who ask for more.
type (
	open struct {
		Pointer *open
		Any     any
		List    []map[string]json.RawMessage
		Number  int
	}
	formatted struct{}
)

func (formatted) Error() string { return "it failed" }

func (formatted) Format(s fmt.State, _ rune) {
	if s.Flag('+') {
		fmt.Fprint(s, "with hunter2-of-the-test")
	}
}

func TestDumpReachesWhatAnybodyReaches(t *testing.T) {
	t.Parallel()
	secrets := canary.New("hunter2-of-the-test", "9182736455463728")
	failed := errors.New("hunter2-of-the-test is wrong")
	loop := &open{}
	loop.Pointer = loop
	for name, value := range map[string]any{
		"a text":            "x hunter2-of-the-test",
		"bytes":             []byte("hunter2-of-the-test"),
		"behind a pointer":  &open{Pointer: &open{Any: "hunter2-of-the-test"}},
		"in JSON in a map":  open{List: []map[string]json.RawMessage{{"a": json.RawMessage(`"hunter2-of-the-test"`)}}},
		"the name in a map": map[string]int{"hunter2-of-the-test": 1},
		"a number":          &open{Number: 9182736455463728},
		"an error":          failed,
		"a wrapped error":   open{Any: fmt.Errorf("it failed: %w", failed)},
		"a joined error":    errors.Join(os.ErrExist, failed),
		"what %+v prints":   formatted{},
		"a field by value":  struct{ h struct{ s string } }{struct{ s string }{"hunter2-of-the-test"}},
	} {
		require.NotEmpty(t, secrets.Find(canary.Dump(value)), name)
	}
	for name, value := range map[string]any{
		"nothing": nil, "a nil pointer": (*open)(nil), "a loop": loop, "what is kept to itself": struct{ get func() error }{func() error { return failed }},
	} {
		require.Empty(t, secrets.Find(canary.Dump(value)), name)
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	secrets := canary.New("hunter2-of-the-test")
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "a", "b"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a", "clean"), []byte("nothing"), 0o600))
	found, err := secrets.FindInFiles(dir)
	require.NoError(t, err)
	require.Empty(t, found)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a", "b", "state"), []byte("x\x00hunter2-of-the-test"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a", "hunter2-of-the-test"), nil, 0o600))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, ".git"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".git", "hunter2-of-the-test"), nil, 0o600))
	found, err = secrets.FindInFiles(dir)
	require.NoError(t, err)
	require.Len(t, found, 2)
	require.Contains(t, found[0], filepath.Join("b", "state")+": canary 0 as it is, behind \"x\\x00\"")
	_, err = secrets.FindInFiles(filepath.Join(dir, "gone"))
	require.Error(t, err)
}

// failures is a canary.T.
type failures []string

func (*failures) Helper() {}

func (*failures) TempDir() string { return "removed" }

func (f *failures) Errorf(format string, args ...any) { *f = append(*f, fmt.Sprintf(format, args...)) }

func TestNotIn(t *testing.T) {
	t.Parallel()
	secrets := canary.New("hunter2-of-the-test")
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "state"), []byte("hunter2-of-the-test"), 0o600))
	var f failures
	secrets.NotIn(&f, "the plan", "a clean one")
	require.Empty(t, f)
	secrets.NotIn(&f, "the plan", errors.New("hunter2-of-the-test"))
	secrets.NotInFiles(&f, dir)
	secrets.NotInFiles(&f, filepath.Join(dir, "gone"))
	require.Len(t, f, 3)
	require.Equal(t, "the plan shows a secret: canary 0 as it is, behind \"\"", f[0])
}

func TestValueIsThatOfTheRun(t *testing.T) {
	t.Setenv(canary.Env, "canary4711")
	require.Equal(t, "canary4711", canary.Value())
	t.Setenv(canary.Env, "")
	require.NotEmpty(t, canary.Value())
}

func TestDirIsKeptForWhoeverLooks(t *testing.T) {
	kept := t.TempDir()
	t.Setenv(canary.KeptEnv, kept)
	var f failures
	dir := canary.Dir(&f)
	require.Equal(t, kept, filepath.Dir(dir))
	require.DirExists(t, dir)
	t.Setenv(canary.KeptEnv, filepath.Join(kept, "gone"))
	canary.Dir(&f)
	require.Len(t, f, 1)
	t.Setenv(canary.KeptEnv, "")
	require.Equal(t, "removed", canary.Dir(&f))
}
