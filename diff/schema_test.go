package diff_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
)

func TestSchemaValidate(t *testing.T) {
	t.Parallel()
	text, ref := diff.Value{Type: diff.Text}, diff.Value{Type: diff.Text, Ref: "network"}
	object := func(fields ...diff.SchemaField) diff.Value {
		return diff.Value{Type: diff.Object, Object: &diff.Schema{Fields: fields}}
	}
	list := func(elem diff.Value) diff.Value { return diff.Value{Type: diff.List, Elem: &elem} }
	for message, field := range map[string]diff.SchemaField{
		`a reference to a network of the type "int"`:  {Value: diff.Value{Type: diff.Int, Ref: "network"}},
		`a reference to a network of the type "list"`: {Value: diff.Value{Type: diff.List, Ref: "network"}},
		`both sensitive and unmanaged`:                {Value: text, Sensitive: true, Unmanaged: true},
		`both sensitive and a reference`:              {Value: ref, Sensitive: true},
		`x: it is both sensitive and a reference`:     {Value: list(ref), Sensitive: true},
		`sensitive and has a reference inside`:        {Value: list(object(diff.SchemaField{Name: "a", Value: list(ref)})), Sensitive: true},
		`sensitive and has an immutable field inside`: {Value: object(diff.SchemaField{Name: "a", Value: text, Immutable: true}), Sensitive: true},
		`x: a: it is both sensitive and a reference`:  {Value: object(diff.SchemaField{Name: "a", Value: ref, Sensitive: true})},
		`x: the default {"a": 1} is not canonical`:    {Value: text, Default: raw(`{"a": 1}`)},
		`x: a list without Elem`:                      {Value: diff.Value{Type: diff.List}},
		`x: an object without Object`:                 {Value: diff.Value{Type: diff.Object}},
		`x: the unknown type "blob"`:                  {Value: diff.Value{Type: "blob"}},
		`x: the fields "b" and "a" are not in order`:  {Value: object(diff.SchemaField{Name: "b", Value: text}, diff.SchemaField{Name: "a", Value: text})},
	} {
		field.Name = "x"
		err := (&diff.Schema{Fields: []diff.SchemaField{field}}).Validate()
		require.ErrorContains(t, err, message)
	}
	for _, field := range []diff.SchemaField{
		{Value: text, Sensitive: true, Immutable: true},
		{Value: list(ref), Immutable: true},
		{Value: object(diff.SchemaField{Name: "a", Value: text, Sensitive: true}), Unmanaged: true},
		{Value: object(diff.SchemaField{Name: "a", Value: text, Unmanaged: true}), Sensitive: true},
	} {
		require.NoError(t, (&diff.Schema{Fields: []diff.SchemaField{field}}).Validate())
	}
	require.NoError(t, (*diff.Schema)(nil).Validate())
}

func TestImmutableFields(t *testing.T) {
	t.Parallel()
	text := diff.Value{Type: diff.Text}
	disk := diff.Value{Type: diff.Object, Object: &diff.Schema{Fields: []diff.SchemaField{
		{Name: "name", Value: text}, {Name: "size", Value: text, Immutable: true},
	}}}
	schema := &diff.Schema{Fields: []diff.SchemaField{
		{Name: "any", Value: diff.Value{Type: diff.Any}, Immutable: true},
		{Name: "disks", Value: diff.Value{Type: diff.List, Elem: &disk}},
		{Name: "key", Value: text, Immutable: true, Sensitive: true},
		{Name: "label s", Value: diff.Value{Type: diff.Map, Elem: &disk}},
		{Name: "region", Value: text, Immutable: true},
		{Name: "zone", Value: diff.Value{Type: diff.Object, Object: disk.Object}, Immutable: true},
	}}
	immutable := []string{
		"config.any", "config.any.x[0].y", "config.any[3]", "config.disks[12].size", "config.key",
		`config."label s"."b.c".size`, "config.region", "config.zone", "config.zone.name",
	}
	mutable := []string{
		"config", "config.disks", "config.disks[0].name", "config.disks.size", "config.other", "config.other.region",
		"region", "tags", "refs.region", "", "config..region", `config."region"`, "other.region",
	}
	var fields []diff.Field
	for _, path := range append(mutable, immutable...) {
		fields = append(fields, diff.Field{Path: path})
	}
	var got []string
	for _, field := range schema.ImmutableFields(fields) {
		got = append(got, field.Path)
	}
	require.Equal(t, immutable, got)
	require.Empty(t, (*diff.Schema)(nil).ImmutableFields(fields))
	require.Empty(t, schema.ImmutableFields(nil))
}
