package kinds

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/sync"
)

// Decode returns a Config as the struct of its kind, with every default filled in,
// at whatever depth. The Config is canonical: one that a Deployer is given, or that
// was declared. In a recorded one digests stand for sensitive values, which not
// every field can hold: the secret_args of a build can't, and that is an error.
func Decode[T any](config json.RawMessage) (T, error) {
	var value T
	kind := sync.Define[T]("decoded")
	object := map[string]any{}
	if len(config) > 0 {
		decoder := json.NewDecoder(bytes.NewReader(config))
		decoder.UseNumber() // a float64 doesn't hold every number of a file
		if err := decoder.Decode(&object); err != nil {
			return value, fmt.Errorf("decode a %T: %w", value, err)
		}
	}
	fill(object, kind.Schema)
	full, err := json.Marshal(object)
	if err == nil {
		err = json.Unmarshal(full, &value)
	}
	if err != nil {
		return value, fmt.Errorf("decode a %T: %w", value, err)
	}
	return value, nil
}

// DecodeParams returns the parameters of an execution as the struct of its type:
// RunBuild for one of that type.
func DecodeParams[T any](e Execution) (T, error) {
	raw, err := json.Marshal(e.Params)
	if err != nil {
		var none T
		return none, fmt.Errorf("decode a %T: %w", none, err)
	}
	return Decode[T](raw)
}

// fill gives the members that an object lacks their defaults.
func fill(object map[string]any, schema *diff.Schema) {
	for i := range schema.Fields {
		f := &schema.Fields[i]
		if _, ok := object[f.Name]; !ok && f.Type == diff.Object {
			object[f.Name] = map[string]any{}
		} else if !ok && f.Default != nil {
			object[f.Name] = f.Default
		}
		fillValue(object[f.Name], &f.Value)
	}
}

func fillValue(value any, shape *diff.Value) {
	switch v := value.(type) {
	case map[string]any:
		if shape.Object != nil {
			fill(v, shape.Object)
			return
		}
		for _, member := range v {
			fillValue(member, shape.Elem)
		}
	case []any:
		for _, element := range v {
			fillValue(element, shape.Elem)
		}
	}
}
