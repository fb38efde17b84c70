package sync

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// redactorOf makes a redactor of values of any type.
func redactorOf(t testing.TB, values ...any) *redactor {
	t.Helper()
	var raw []json.RawMessage
	for _, value := range values {
		b, err := json.Marshal(value)
		require.NoError(t, err)
		raw = append(raw, b)
	}
	return newRedactor(raw)
}

func TestRedactText(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		secrets    []any
		text, want string
	}{
		"a text":                     {[]any{"hunter2"}, "login root:hunter2@db failed", "login root:(sensitive)@db failed"},
		"each time":                  {[]any{"hunter2"}, "hunter2hunter2 hunter2", "(sensitive)(sensitive) (sensitive)"},
		"nothing but it":             {[]any{"hunter2"}, "hunter2", "(sensitive)"},
		"the longest":                {[]any{"hunt", "hunter2", "hunter"}, "is hunter2", "is (sensitive)"},
		"all that overlap":           {[]any{"abcdef", "defghi"}, "x abcdefghi", "x (sensitive)"},
		"a number":                   {[]any{123456}, "pin 123456 is wrong", "pin (sensitive) is wrong"},
		"what is in an object":       {[]any{map[string]any{"user": "admin", "keys": []any{"hunter2", 31337}}}, "user admin, hunter2, 31337", "user (sensitive), (sensitive), (sensitive)"},
		"no member names":            {[]any{map[string]string{"password": "hunter2"}}, "the password is wrong", "the password is wrong"},
		"nothing short inside":       {[]any{[]string{"abc"}}, `"abc"`, `"abc"`},
		"a short one in quotes":      {[]any{"abc"}, `abc: "abc" is no key`, `abc: "(sensitive)" is no key`},
		"a short one that is quoted": {[]any{`a"b`}, `want "a\"b"`, `want "(sensitive)"`},
		"a short number in quotes":   {[]any{42}, `42: "42"`, `42: "(sensitive)"`},
		"an object as a whole":       {[]any{map[string]any{"a": "b"}}, `got {"a":"b"}`, "got (sensitive)"},
		"a list as a whole":          {[]any{[]string{"abc"}}, `got ["abc"]`, "got (sensitive)"},
		"a number as it is printed":  {[]any{918273645}, "pin 9.18273645e+08 or 918273645 is wrong", "pin (sensitive) or (sensitive) is wrong"},
		"no empty one":               {[]any{""}, `""`, `""`},
		"no bool and no null":        {[]any{true, nil}, `true "true" null`, `true "true" null`},
		"without white space":        {[]any{"hunter2\n"}, "token hunter2 is wrong", "token (sensitive) is wrong"},
		"with white space":           {[]any{"hunter2\n"}, `token "hunter2\n" is wrong`, `token "(sensitive)" is wrong`},
		"other texts stay":           {[]any{"hunter2"}, "HUNTER2 hunter", "HUNTER2 hunter"},
		"no text":                    {[]any{"hunter2"}, "", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, redactorOf(t, c.secrets...).text(c.text))
		})
	}
}

// encodings are the forms in which programs quote what they were given.
func encodings() map[string]func(string) string {
	return map[string]func(string) string{
		"json":               func(s string) string { b, _ := json.Marshal(s); return string(b) },
		"json in json":       func(s string) string { b, _ := json.Marshal(s); b, _ = json.Marshal(string(b)); return string(b) },
		"%q":                 func(s string) string { return fmt.Sprintf("%q", s) },
		"%+q":                func(s string) string { return fmt.Sprintf("%+q", s) },
		"%q of json":         func(s string) string { b, _ := json.Marshal(s); return fmt.Sprintf("%q", b) },
		"query":              url.QueryEscape,
		"component":          func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") },
		"path":               url.PathEscape,
		"user":               func(s string) string { return url.UserPassword("root", s).String() },
		"lower-case escapes": func(s string) string { return lowerEscapes(url.QueryEscape(s)) },
		"hex":                func(s string) string { return hex.EncodeToString([]byte(s)) },
		"upper-case hex":     func(s string) string { return fmt.Sprintf("%X", s) },
	}
}

func secrets() []string {
	return []string{"hunter2", "pass", `a"b\c d`, "grüße & <öl>", "a/b+c=d?e%f@g", "line one\nline two", "ключ🔑", strings.Repeat("0123456789", 20)}
}

func TestRedactFindsEveryForm(t *testing.T) {
	t.Parallel()
	for _, secret := range secrets() {
		r := redactorOf(t, secret)
		for name, encode := range encodings() {
			encoded := encode(secret)
			got := r.text("before " + encoded + " after")
			require.Contains(t, got, concealed, "%s: %s", name, encoded)
			got = strings.Trim(strings.TrimPrefix(strings.ReplaceAll(got, concealed, ""), "before "), `"\`)
			require.Contains(t, []string{" after", `" after`, `\"" after`, "root: after"}, got, "%s: %s", name, encoded)
		}
	}
}

// Wherever a secret is in what is encoded, of its bytes nothing can be decoded
// from what is left.
func TestRedactFindsBase64AtEveryAlignment(t *testing.T) {
	t.Parallel()
	for name, encoding := range map[string]*base64.Encoding{
		"std": base64.StdEncoding, "raw std": base64.RawStdEncoding, "url": base64.URLEncoding, "raw url": base64.RawURLEncoding,
	} {
		for _, secret := range secrets() {
			quoted, err := json.Marshal(secret)
			require.NoError(t, err)
			r := redactorOf(t, secret)
			for before := range 6 {
				for after := range 4 {
					for _, form := range []string{secret, string(quoted[1 : len(quoted)-1])} {
						head, tail := strings.Repeat("\xfb", before), strings.Repeat("\xff", after)
						encoded := encoding.EncodeToString([]byte(head + form + tail))
						start, end, found := strings.Cut(r.text("Basic "+encoded), concealed)
						require.True(t, found, "%s of %q after %d bytes", name, form, before)
						start = strings.TrimPrefix(start, "Basic ")
						require.LessOrEqual(t, len(start)*6, before*8, "%s of %q: no bit of it is left", name, form)
						require.LessOrEqual(t, len(strings.TrimRight(end, "="))*6, after*8+5, "%s of %q: no bit of it is left", name, form)
					}
				}
			}
		}
	}
}

func TestRedactLeavesWhatHoldsNoSecret(t *testing.T) {
	t.Parallel()
	err := errors.New("connection refused")
	require.Same(t, err, redactorOf(t, "hunter2").redact(err))
	require.NoError(t, redactorOf(t, "hunter2").redact(nil))

	var none *redactor
	require.Nil(t, newRedactor(nil))
	require.Nil(t, redactorOf(t, true, nil, "", []int{1}), "nothing to look for")
	require.Same(t, err, none.redact(err))
	require.Equal(t, "hunter2", none.text("hunter2"))
	require.Same(t, err, new(redactor).redact(err))
}

func TestRedactedErrorsMeanWhatTheyMeant(t *testing.T) {
	t.Parallel()
	cause := &fs.PathError{Op: "open", Path: "/run/hunter2", Err: fs.ErrNotExist}
	err := redactorOf(t, "hunter2").redact(fmt.Errorf("token: %w: %w", cause, &ThrottledError{After: 7}))
	require.EqualError(t, err, "token: open /run/(sensitive): file does not exist: too many requests")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorIs(t, err, ErrTooManyRequests)
	require.NotErrorIs(t, err, fs.ErrExist)
	var throttled *ThrottledError
	require.ErrorAs(t, err, &throttled)
	require.EqualValues(t, 7, throttled.After)
	var unsupported *UncertainError
	require.False(t, errors.As(err, &unsupported))

	require.True(t, Retryable(redactorOf(t, "reset").redact(errBroken)))
	require.Same(t, err, redactorOf(t, "hunter2").redact(err), "once is enough")
}

// hiding has a clean text around one that isn't.
type hiding struct{ err error }

func (hiding) Error() string   { return "it failed" }
func (h hiding) Unwrap() error { return h.err }

// telling says more to those who ask for more.
type telling struct{ err error }

func (*telling) Error() string   { return "it failed" }
func (e *telling) Unwrap() error { return fs.ErrExist }

func (e *telling) Is(target error) bool { return target == e.err }

func (e *telling) Format(s fmt.State, _ rune) {
	if s.Flag('+') {
		fmt.Fprint(s, e.err)
	}
}

// hidingMany is hiding around several.
type hidingMany struct{ errs []error }

func (hidingMany) Error() string     { return "it failed" }
func (h hidingMany) Unwrap() []error { return h.errs }

func TestRedactedErrorsShowNothingToWhoPrintsThem(t *testing.T) {
	t.Parallel()
	r := redactorOf(t, "hunter2")
	quotes := errors.New("the password hunter2 is wrong")
	for name, err := range map[string]error{
		"alone":                    quotes,
		"wrapped":                  fmt.Errorf("login: %w", quotes),
		"joined":                   errors.Join(fs.ErrExist, quotes),
		"behind a text without it": hiding{quotes},
		"behind what %+v prints":   &telling{quotes},
		"joined behind such a one": hidingMany{[]error{nil, fs.ErrExist, quotes}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			redacted := r.redact(fmt.Errorf("apply: %w", err))
			require.ErrorIs(t, redacted, quotes)
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
				require.NotContains(t, fmt.Sprintf(verb, redacted), "hunter2", verb)
			}
			require.NoError(t, errors.Unwrap(redacted))
			_, many := redacted.(interface{ Unwrap() []error })
			require.False(t, many)
		})
	}
}

// FuzzRedact holds that a secret is never in what comes out, unless it is a part
// of the word that replaces it, and that nothing is done to a text without it.
func FuzzRedact(f *testing.F) {
	f.Add("hunter2", "the password is ", "!")
	f.Add("aaaa", "aaa", "aaaaa")
	f.Add(`"\"`, `"`, `"`)
	f.Fuzz(func(t *testing.T, secret, before, after string) {
		value, err := json.Marshal(secret)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(value, &secret)) // valid UTF-8
		r := newRedactor([]json.RawMessage{value})
		if len(secret) < minSecret || strings.Contains(concealed, secret) {
			_ = r.text(before + secret + after)
			return
		}
		got := r.text(before + secret + after)
		for part := range strings.SplitSeq(got, concealed) {
			require.NotContains(t, part, secret)
		}
		require.Contains(t, got, concealed)
		require.Equal(t, r.text(before) == before, len(r.find(before)) == 0)
	})
}

func BenchmarkRedactorText(b *testing.B) {
	var values []json.RawMessage
	for i := range 10_000 {
		values = append(values, json.RawMessage(fmt.Sprintf(`"secret value %d"`, i)))
	}
	r := newRedactor(values)
	text := strings.Repeat("unable to sync server/web - connection refused; ", 10) + "secret value 4711"
	b.ReportAllocs()
	for b.Loop() {
		r.text(text)
	}
}
