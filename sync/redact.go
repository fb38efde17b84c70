package sync

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/trueup-go/trueup/state"
)

// minSecret is how many bytes a sensitive value needs to be looked for in running
// text: replacing a shorter one would spoil more than it hides.
const minSecret = 4

// redactor replaces sensitive values in what is shown: the errors of a Handler
// may quote what it was given. It finds a value as it is, JSON-escaped, quoted by
// Go, URL-escaped, in hex and in base64, also in the middle of a longer text that
// is encoded as a whole; a number also as fmt prints it, a list or object also as a
// whole. A value of less than 4 bytes is only replaced between quotes, and true,
// false and null never. The names of members are not sensitive, but for a list or
// object that is found as a whole.
//
// A nil *redactor replaces nothing. It is safe for concurrent use.
type redactor struct {
	// needles are what to look for, by their first bytes, the longest first.
	needles map[prefix][]needle
	known   map[needle]bool // until all are there
}

// prefix is the length that every needle has at least.
type prefix [3]byte

// needle is one form of a sensitive value.
type needle struct {
	text string
	// lead and tail are how many bytes at its ends are to stay; below 0, how many
	// more are to go.
	lead, tail int
}

// newRedactor returns a redactor of the values, in canonical JSON: of texts and
// numbers, and of what of at least 4 bytes is inside lists and objects, whose
// member names are not sensitive. Without any it returns nil.
func newRedactor(values []json.RawMessage) *redactor {
	r := &redactor{needles: map[prefix][]needle{}, known: map[needle]bool{}}
	for _, value := range values {
		r.addValue(value, false)
	}
	if r.known = nil; len(r.needles) == 0 {
		return nil
	}
	for _, needles := range r.needles {
		slices.SortFunc(needles, func(a, b needle) int {
			return cmp.Or(len(b.text)-len(a.text), strings.Compare(a.text, b.text))
		})
	}
	return r
}

// text returns s with "(sensitive)" in the place of every sensitive value.
func (r *redactor) text(s string) string {
	spans := r.find(s)
	if len(spans) == 0 {
		return s
	}
	var b strings.Builder
	end := 0
	for _, span := range spans {
		b.WriteString(s[end:span.start])
		b.WriteString(concealed)
		end = span.end
	}
	b.WriteString(s[end:])
	return b.String()
}

// redact returns err itself if neither its text nor that of an error that it
// wraps holds a sensitive value. Else it returns an error with the redacted text.
//
// errors.Is and errors.As reach through that one, so that what a program decides
// by an error it still decides. It has no Unwrap: what prints or logs a chain of
// errors link by link would print the raw text. As hands out the error of the type
// that was asked for as it is: whoever names a type wants its fields, and has to
// know what they may hold.
func (r *redactor) redact(err error) error {
	if err == nil || r == nil || !r.isIn(err) {
		return err
	}
	return &redactedError{text: r.text(err.Error()), inner: func() error { return err }}
}

// isIn tells whether an error, or one that it wraps, quotes a sensitive value.
func (r *redactor) isIn(err error) bool {
	if err == nil {
		return false
	}
	if len(r.find(err.Error())) > 0 {
		return true
	}
	if _, ok := err.(fmt.Formatter); ok && len(r.find(fmt.Sprintf("%+v", err))) > 0 {
		return true
	}
	switch wraps := err.(type) { //nolint:errorlint // every error of the tree is looked at in its turn
	case interface{ Unwrap() error }:
		return r.isIn(wraps.Unwrap())
	case interface{ Unwrap() []error }:
		return slices.ContainsFunc(wraps.Unwrap(), r.isIn)
	}
	return false
}

// redactedError is an error whose text quoted a sensitive value.
type redactedError struct {
	text  string
	inner func() error // a func, so that no printer that walks fields gets at it
}

// Error returns the redacted text.
func (e *redactedError) Error() string { return e.text }

// Is tells whether the error that was redacted is target.
func (e *redactedError) Is(target error) bool { return errors.Is(e.inner(), target) }

// As finds target in the error that was redacted.
func (e *redactedError) As(target any) bool { return errors.As(e.inner(), target) }

type span struct{ start, end int }

// find returns where sensitive values are in s, in order and without overlaps.
func (r *redactor) find(s string) []span {
	if r == nil {
		return nil
	}
	var spans []span
	for i := 0; i+len(prefix{}) <= len(s); i++ {
		for _, n := range r.needles[prefix([]byte(s[i:i+len(prefix{})]))] {
			if !strings.HasPrefix(s[i:], n.text) {
				continue
			}
			found := span{max(0, i+n.lead), min(len(s), i+len(n.text)-n.tail)}
			if last := len(spans) - 1; last >= 0 && found.start < spans[last].end {
				spans[last].start = min(spans[last].start, found.start)
				spans[last].end = max(spans[last].end, found.end)
			} else {
				spans = append(spans, found)
			}
			break
		}
	}
	return spans
}

// addValue adds the needles of a value; inside says that it is a part of another.
func (r *redactor) addValue(value json.RawMessage, inside bool) {
	if len(value) == 0 {
		return
	}
	switch value[0] {
	case '"':
		var text string
		if json.Unmarshal(value, &text) == nil {
			r.addText(text, inside)
			r.addText(strings.TrimSpace(text), inside) // as tools do before they use it
		}
	case '{', '[':
		if !inside && len(value) > minSecret {
			r.addForms(string(value))
		}
		for _, member := range state.Members(value) {
			r.addValue(member, true)
		}
		for element := range state.Elements(value) {
			r.addValue(element, true)
		}
	case 't', 'f', 'n':
	default:
		r.addText(string(value), inside)
		if f, err := strconv.ParseFloat(string(value), 64); err == nil {
			r.addText(strconv.FormatFloat(f, 'g', -1, 64), inside) // as fmt prints it
			r.addText(strconv.FormatFloat(f, 'f', -1, 64), inside)
		}
	}
}

// addText adds the needles of a text.
func (r *redactor) addText(text string, inside bool) {
	if len(text) >= minSecret {
		r.addForms(text)
		return
	}
	if text == "" || inside {
		return
	}
	for _, quote := range []string{`"`, `\"`, `\\\"`, `%22`, `'`} {
		for _, form := range append(quotedForms(text, 2), urlForms(text)...) {
			r.add(needle{text: quote + form + quote, lead: len(quote), tail: len(quote)})
		}
	}
}

// addForms adds every form of a text that is long enough.
func (r *redactor) addForms(text string) {
	for _, form := range quotedForms(text, 2) {
		r.add(needle{text: form})
	}
	for _, form := range quotedForms(text, 1) { // what is encoded may be JSON that holds it
		for _, escaped := range urlForms(form) {
			r.add(needle{text: escaped})
		}
		hexed := hex.EncodeToString([]byte(form))
		r.add(needle{text: hexed})
		r.add(needle{text: strings.ToUpper(hexed)})
		bytes := strings.Trim(fmt.Sprint([]byte(form)), "[]") // as fmt prints them
		r.add(needle{text: bytes})
		r.add(needle{text: strings.ReplaceAll(bytes, " ", ",")})
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			r.add(needle{text: encoding.EncodeToString([]byte(form))})
			for before := range 3 {
				r.add(base64Needle(encoding, form, before))
			}
		}
	}
}

// add adds a needle, unless it is there or too short to be one.
func (r *redactor) add(n needle) {
	if len(n.text) < len(prefix{}) {
		return
	}
	if !r.known[n] {
		r.known[n] = true
		p := prefix([]byte(n.text))
		r.needles[p] = append(r.needles[p], n)
	}
}

// quotedForms returns the text as it is and as it stands between quotes: in JSON
// and in Go, quoted up to so many times.
func quotedForms(text string, times int) []string {
	forms := []string{text}
	for range times {
		for _, form := range slices.Clone(forms) {
			quoted := []string{strconv.Quote(form), strconv.QuoteToASCII(form)}
			if b, err := json.Marshal(form); err == nil {
				quoted = append(quoted, string(b))
			}
			if b, err := state.AppendCanonical(nil, form); err == nil { // which leaves <, > and & alone
				quoted = append(quoted, string(b))
			}
			for _, q := range quoted {
				if inner := q[1 : len(q)-1]; !slices.Contains(forms, inner) {
					forms = append(forms, inner)
				}
			}
		}
	}
	return forms
}

// urlForms returns the text as it stands in the parts of a URL.
func urlForms(text string) []string {
	query := url.QueryEscape(text)
	forms := []string{
		query,
		strings.ReplaceAll(query, "+", "%20"),
		url.PathEscape(text),
		strings.TrimPrefix(url.UserPassword("", text).String(), ":"),
	}
	for _, form := range slices.Clone(forms) {
		forms = append(forms, lowerEscapes(form))
	}
	return forms
}

// lowerEscapes writes the hex digits of percent escapes in lower case.
func lowerEscapes(escaped string) string {
	b := []byte(escaped)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:i+3], bytes.ToLower(b[i+1:i+3]))
		}
	}
	return string(b)
}

// base64Needle returns what there is of a text in base64 if so many bytes, up to
// alignment, come before it. The digits at either end that hold bits of it and of
// its neighbours are not known, and go with it.
func base64Needle(encoding *base64.Encoding, text string, before int) needle {
	digits := encoding.WithPadding(base64.NoPadding).EncodeToString(append(make([]byte, before), text...))
	n := needle{text: digits}
	if before > 0 {
		n.text, n.lead = n.text[before+1:], -1
	}
	if (before+len(text))%3 > 0 {
		n.text, n.tail = n.text[:len(n.text)-1], -1
	}
	return n
}
