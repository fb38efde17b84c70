package syncertest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/hashicorp/go-multierror"

	tusync "github.com/trueup-go/trueup/sync"
)

// quotations are the ways in which the error of one who was given a Config quotes
// it.
func quotations() map[string]func(config json.RawMessage) error {
	text := func(format string) func(json.RawMessage) error {
		return func(config json.RawMessage) error { return fmt.Errorf(format, config) }
	}
	encoded := func(encode func(string) string) func(json.RawMessage) error {
		return func(config json.RawMessage) error { return errors.New("400: " + encode(string(config))) }
	}
	leaves := func(write func(string) string) func(json.RawMessage) error {
		return func(config json.RawMessage) error {
			var lines []string
			for _, leaf := range textsIn(config) {
				lines = append(lines, write(leaf)+" is wrong")
			}
			return errors.New(strings.Join(lines, "\n"))
		}
	}
	return map[string]func(json.RawMessage) error{
		"as JSON":         text("bad config %s"),
		"quoted":          text("bad config %q"),
		"quoted in ASCII": text("bad config %+q"),
		"as bytes":        text("bad config %v"),
		"in hex":          text("bad config %x"),
		"in a struct":     func(config json.RawMessage) error { return fmt.Errorf("%+v", struct{ Body any }{string(config)}) },
		"decoded": func(config json.RawMessage) error {
			var v map[string]any
			err := json.Unmarshal(config, &v)
			for _, name := range []string{"short", "list", "map"} {
				delete(v, name) // what is short, or a name, isn't found without its quotes
			}
			return fmt.Errorf("bad config %v %w", v, err)
		},
		"in base64":       encoded(func(s string) string { return base64.StdEncoding.EncodeToString([]byte("x" + s)) }),
		"in a URL":        encoded(url.QueryEscape),
		"in base64's URL": encoded(func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }),
		"one by one":      leaves(func(s string) string { return s }),
		"as passwords":    leaves(func(s string) string { return url.UserPassword("root", s).String() + "@db" }),
		"as paths":        leaves(url.PathEscape),
		"wrapped": func(config json.RawMessage) error {
			return fmt.Errorf("apply: %w", fmt.Errorf("call: %w", fmt.Errorf("%s", config)))
		},
		"behind a clean text": func(config json.RawMessage) error { return &quietError{fmt.Errorf("%s", config)} },
		"joined":              func(config json.RawMessage) error { return errors.Join(errRefused(), fmt.Errorf("%s", config)) },
		"in a multierror": func(config json.RawMessage) error {
			return multierror.Append(errRefused(), fmt.Errorf("%s", config))
		},
		"in a typed error": func(config json.RawMessage) error {
			return &url.Error{Op: "Put", URL: string(config), Err: errRefused()}
		},
		"throttled": func(config json.RawMessage) error {
			return &tusync.ThrottledError{After: 1, Err: fmt.Errorf("%s", config)}
		},
		"in a panic":          func(config json.RawMessage) error { panic(string(config)) },
		"in an error's panic": func(config json.RawMessage) error { panic(fmt.Errorf("%s", config)) },
	}
}

// quietError says nothing of what it wraps.
type quietError struct{ err error }

func (*quietError) Error() string   { return "it failed" }
func (e *quietError) Unwrap() error { return e.err }

// textsIn returns the texts and numbers in a Config that are long enough to be
// found wherever they are.
func textsIn(config json.RawMessage) []string {
	var texts []string
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, member := range v {
				walk(member)
			}
		case []any:
			for _, element := range v {
				walk(element)
			}
		default:
			if text := fmt.Sprint(v); len(text) >= 4 {
				texts = append(texts, text)
			}
		}
	}
	var v any
	if json.Unmarshal(config, &v) == nil {
		walk(v)
	}
	return texts
}
