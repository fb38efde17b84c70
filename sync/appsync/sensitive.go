package appsync

import (
	"encoding/json"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// The fields that no file has: what is sensitive is moved there, where a field is
// sensitive in one resource and in another one not.
const (
	sensitiveDefault = "sensitive_default"
	sensitiveInputs  = "sensitive_inputs"
)

// conceal moves what is sensitive to where it is known to be: the defaults of
// inputs that say so, and the values that installs give to such inputs.
func (l *loader) conceal(drafts []*draft) {
	sensitive := map[string]bool{}
	for _, d := range drafts { // in key order: the inputs come before the installs
		config, err := d.resource.Config, error(nil)
		switch d.resource.Kind {
		case KindInputs:
			config, err = concealDefaults(config, sensitive)
		case KindRunbook:
			config, err = concealDefaults(config, map[string]bool{})
		case KindInstall:
			config, err = concealValues(config, sensitive)
		}
		if err != nil {
			l.mistakes.Add(d.position, err.Error(), "")
			continue
		}
		d.resource.Config = config
	}
}

// concealDefaults moves the defaults of sensitive inputs, and notes their names.
func concealDefaults(config json.RawMessage, sensitive map[string]bool) (json.RawMessage, error) {
	return rewrite(config, "input", func(_ map[string]json.RawMessage, inputs []map[string]json.RawMessage) error {
		for _, input := range inputs {
			if string(input["sensitive"]) != "true" {
				continue
			}
			var name string
			if err := json.Unmarshal(input["name"], &name); err != nil {
				return err
			}
			sensitive[name] = true
			if value, given := input["default"]; given {
				input[sensitiveDefault] = value
				delete(input, "default")
			}
		}
		return nil
	})
}

// concealValues moves the values of sensitive inputs.
func concealValues(config json.RawMessage, sensitive map[string]bool) (json.RawMessage, error) {
	return rewrite(config, "inputs", func(install map[string]json.RawMessage, tables []map[string]json.RawMessage) error {
		var moved []map[string]json.RawMessage
		for _, table := range tables {
			values := map[string]json.RawMessage{}
			for name, value := range table {
				if sensitive[name] && name != "group" {
					values[name] = value
					delete(table, name)
				}
			}
			if len(values) > 0 {
				moved = append(moved, values)
			}
		}
		if moved == nil {
			return nil
		}
		text, err := json.Marshal(moved)
		install[sensitiveInputs] = text
		return err
	})
}

// rewrite has a Config, and a list of tables in it, changed by f.
func rewrite(config json.RawMessage, list string, f func(config map[string]json.RawMessage, list []map[string]json.RawMessage) error) (json.RawMessage, error) {
	var object map[string]json.RawMessage
	var tables []map[string]json.RawMessage
	if err := json.Unmarshal(config, &object); err != nil {
		return nil, err
	}
	if object[list] == nil {
		return config, nil
	}
	if err := json.Unmarshal(object[list], &tables); err != nil {
		return nil, err
	}
	if err := f(object, tables); err != nil {
		return nil, err
	}
	text, err := json.Marshal(tables)
	if err != nil {
		return nil, err
	}
	object[list] = text
	if text, err = json.Marshal(object); err != nil {
		return nil, err
	}
	return state.Canonical(text)
}

// withoutField takes a field out of a schema, or out of that of the tables in a
// list.
func withoutField(form *diff.Schema, list, field string) {
	if list != "" {
		form = form.Field(list).Elem.Object
	}
	kept := form.Fields[:0]
	for _, f := range form.Fields {
		if f.Name != field {
			kept = append(kept, f)
		}
	}
	form.Fields = kept
}
