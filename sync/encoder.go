package sync

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/trueup-go/trueup/state"
)

// encoder writes a Go value of a kind's struct type as JSON.
type encoder struct {
	typ    reflect.Type
	fields []fieldEncoder
	secret bool // typ is Secret, which would write itself as "(sensitive)"
}

type fieldEncoder struct {
	name      string
	index     []int
	required  bool
	sensitive bool
	value     *encoder // of the struct inside, at whatever depth; nil if there is none
}

// append appends the JSON of a value: of the encoder's struct, or of anything
// that has a canonical form. A nil encoder knows no struct.
func (e *encoder) append(dst []byte, value any) ([]byte, error) {
	return e.appendValue(dst, reflect.ValueOf(value))
}

func (e *encoder) appendValue(dst []byte, v reflect.Value) ([]byte, error) {
	for v.IsValid() && (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) && !v.IsNil() {
		v = v.Elem()
	}
	switch {
	case !v.IsValid():
		return append(dst, "null"...), nil
	case e == nil && v.Kind() == reflect.Struct && isText(v.Type()):
		address := reflect.New(v.Type()) // MarshalText may have a pointer receiver
		address.Elem().Set(v)
		return state.AppendCanonical(dst, address.Interface())
	case e == nil:
		return state.AppendCanonical(dst, v.Interface())
	case v.Type() == e.typ && e.secret:
		return state.AppendCanonical(dst, v.String())
	case v.Type() == e.typ:
		return e.appendStruct(dst, v)
	case v.Kind() == reflect.Struct:
		return nil, fmt.Errorf("want a %s, got a %s", e.typ, v.Type())
	case (v.Kind() == reflect.Slice || v.Kind() == reflect.Array) && v.Type() != reflect.TypeFor[json.RawMessage]():
		return e.appendList(dst, v)
	case v.Kind() == reflect.Map && !v.IsNil():
		return e.appendMap(dst, v)
	}
	return state.AppendCanonical(dst, v.Interface())
}

func (e *encoder) appendStruct(dst []byte, v reflect.Value) ([]byte, error) {
	dst = append(dst, '{')
	body := len(dst)
	for _, f := range e.fields {
		value := v.FieldByIndex(f.index)
		if value.IsZero() && !f.required {
			continue
		}
		if len(dst) > body {
			dst = append(dst, ',')
		}
		dst = append(strconv.AppendQuote(dst, f.name), ':')
		var err error
		if dst, err = f.value.appendValue(dst, value); err != nil && f.sensitive {
			err = errHidden
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return append(dst, '}'), nil
}

func (e *encoder) appendList(dst []byte, v reflect.Value) ([]byte, error) {
	dst = append(dst, '[')
	for i := range v.Len() {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = e.appendValue(dst, v.Index(i)); err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
	}
	return append(dst, ']'), nil
}

func (e *encoder) appendMap(dst []byte, v reflect.Value) ([]byte, error) {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	dst = append(dst, '{')
	for i, key := range keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = state.AppendCanonical(dst, key.String()); err != nil {
			return nil, err
		}
		if dst, err = e.appendValue(append(dst, ':'), v.MapIndex(key)); err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
	}
	return append(dst, '}'), nil
}
