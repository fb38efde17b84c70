package canary

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// enough is how many bytes a canary needs to be looked for in hex and the like,
// where a shorter one would be found anywhere.
const enough = 6

// form is a canary as it may look in what comes out.
type form struct {
	how  string // "in base64"
	text []byte
}

// formsOf returns the forms of a value, each once.
func formsOf(value string) []form {
	var forms []form
	add := func(how, text string) {
		same := func(f form) bool { return string(f.text) == text }
		if len(text) > 1 && !slices.ContainsFunc(forms, same) {
			forms = append(forms, form{how, []byte(text)})
		}
	}
	quoted, htmlSafe := inJSON(value), inHTMLSafeJSON(value)
	add("as it is", value)
	add("without white space", strings.TrimSpace(value))
	for _, text := range []string{quoted, htmlSafe} {
		add("in JSON", text)
		add("in JSON in JSON", inJSON(text))
		add("in JSON in JSON", inHTMLSafeJSON(text))
		add("in JSON quoted by Go", inner(strconv.Quote(text)))
	}
	add("quoted by Go", inner(strconv.Quote(value)))
	add("quoted by Go in ASCII", inner(strconv.QuoteToASCII(value)))
	add("in a query", url.QueryEscape(value))
	add("in a query, with %20", strings.ReplaceAll(url.QueryEscape(value), "+", "%20"))
	add("in a path", url.PathEscape(value))
	add("as a user's password", strings.TrimPrefix(url.UserPassword("", value).String(), ":"))
	if len(value) < enough {
		return forms
	}
	for _, text := range []string{value, quoted, htmlSafe} {
		add("in hex", hex.EncodeToString([]byte(text)))
		add("in upper-case hex", strings.ToUpper(hex.EncodeToString([]byte(text))))
		add("as bytes", inner(fmt.Sprint([]byte(text))))
		add("as bytes in JSON", strings.ReplaceAll(inner(fmt.Sprint([]byte(text))), " ", ","))
		add("as bytes in Go", inner(strings.TrimPrefix(fmt.Sprintf("%#v", []byte(text)), "[]byte")))
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			for before := range 3 {
				add(fmt.Sprintf("in base64 after %d bytes", before), inBase64(encoding, text, before))
			}
		}
	}
	return forms
}

// inner returns what is between the quotes.
func inner(quoted string) string { return quoted[1 : len(quoted)-1] }

func inJSON(text string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(text) // of a text it can't fail
	return inner(strings.TrimSuffix(b.String(), "\n"))
}

func inHTMLSafeJSON(text string) string {
	b, _ := json.Marshal(text) // of a text it can't fail
	return inner(string(b))
}

// inBase64 returns the digits of a text that don't depend on what stands around
// it, if so many bytes come before.
func inBase64(encoding *base64.Encoding, text string, before int) string {
	digits := encoding.EncodeToString(append(make([]byte, before), text...))
	from, to := (before*8+5)/6, (before+len(text))*8/6
	return digits[from:to]
}
