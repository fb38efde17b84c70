package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"

	"github.com/pelletier/go-toml/v2"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/examples/resourcesync/internal/format"
)

// read takes a file of values. Of several that have a name the last one counts.
func read(into map[string]string) func(path string) error {
	return func(path string) error {
		values, err := readValues(path)
		maps.Copy(into, values)
		return err
	}
}

// readValues reads a file of values: a key-value list as resources have them, or, if
// it is called *.toml, a table of texts, which may be of several lines. An error shows
// no value.
func readValues(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	if filepath.Ext(path) == ".toml" {
		var wrong *toml.DecodeError
		if err := toml.Unmarshal(text, &values); errors.As(err, &wrong) {
			line, col := wrong.Position()
			return nil, fmt.Errorf("line %d, column %d: want NAME = \"VALUE\"", line, col)
		} else if err != nil {
			return nil, errors.New("want NAME = \"VALUE\" on each line, and nothing else")
		}
		return values, nil
	}
	pairs, err := format.ParsePairs(string(text))
	var wrong diff.FieldError
	if errors.As(err, &wrong) {
		return nil, fmt.Errorf("line %d: %s", wrong.Line, wrong.Problem)
	}
	for _, pair := range pairs {
		values[pair.Key] = pair.Value
	}
	return values, err
}
