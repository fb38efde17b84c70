package canary

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
)

// Dump returns all that can be got out of a value and of what it points to at
// whatever depth: what fmt makes of it with every common verb, its JSON, every text
// and list of bytes in exported fields, and of an error every error that it wraps.
func Dump(value any) []byte {
	d := dumper{seen: map[any]bool{}}
	d.print(value)
	d.value(reflect.ValueOf(value))
	return d.out.Bytes()
}

type dumper struct {
	out  bytes.Buffer
	seen map[any]bool // pointers
}

func (d *dumper) value(v reflect.Value) {
	if !v.IsValid() {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() || d.seen[v.Interface()] {
			return
		}
		d.seen[v.Interface()] = true
		d.print(v.Interface())
		d.value(v.Elem())
	case reflect.Interface:
		if v.Elem().Kind() == reflect.Struct {
			d.print(v.Elem().Interface())
		}
		d.value(v.Elem())
	case reflect.String:
		fmt.Fprintln(&d.out, v.String())
	case reflect.Struct: // whoever has it in him has printed it
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				d.value(v.Field(i))
			}
		}
	case reflect.Slice, reflect.Array:
		d.list(v)
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			d.value(it.Key())
			d.value(it.Value())
		}
	case reflect.Bool, reflect.Chan, reflect.Func, reflect.UnsafePointer:
	default:
		fmt.Fprintln(&d.out, v)
	}
}

func (d *dumper) list(v reflect.Value) {
	if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 {
		d.out.Write(v.Bytes())
		d.out.WriteByte('\n')
		return
	}
	for i := range v.Len() {
		d.value(v.Index(i))
	}
}

// print writes what people see of a value, and what programs do.
func (d *dumper) print(value any) {
	if value == nil {
		return
	}
	for _, verb := range [...]string{"%+v", "%#v", "%s"} {
		fmt.Fprintf(&d.out, verb+"\n", value)
	}
	if text, err := json.Marshal(value); err == nil {
		d.out.Write(text)
	} else {
		fmt.Fprintln(&d.out, err)
	}
	if encoder, ok := value.(interface{ Encode(w io.Writer) error }); ok {
		_ = encoder.Encode(&d.out) // what it can't write doesn't get out
	}
	switch err := value.(type) {
	case interface{ Unwrap() error }:
		d.value(reflect.ValueOf(err.Unwrap()))
	case interface{ Unwrap() []error }:
		for _, err := range err.Unwrap() {
			d.value(reflect.ValueOf(err))
		}
	}
}
