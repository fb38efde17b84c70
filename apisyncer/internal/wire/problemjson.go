package wire

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
)

// problemHead are the members that every problem has.
type problemHead struct {
	Type       string `json:"type,omitempty"`
	Title      string `json:"title,omitempty"`
	Status     int    `json:"status,omitempty"`
	Detail     string `json:"detail,omitempty"`
	Retryable  bool   `json:"retryable,omitempty"`
	RetryAfter int    `json:"retry_after,omitempty"`
}

// MarshalJSON implements json.Marshaler.
func (p Problem) MarshalJSON() ([]byte, error) { return p.appendJSON(nil, 0), nil }

// appendJSON writes into one buffer. Were it called for every cause by itself,
// json.Marshal would read and copy what is deep down once for each level.
func (p *Problem) appendJSON(b []byte, depth int) []byte {
	head, _ := json.Marshal(problemHead{p.Type, p.Title, p.Status, p.Detail, p.Retryable, p.RetryAfter}) // can't fail
	b = append(b, bytes.TrimSuffix(head, []byte("}"))...)
	next := func() {
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
	}
	if len(p.Members) > len("{}") {
		next()
		b = append(b, p.Members[1:len(p.Members)-1]...)
	}
	if len(p.Causes) > 0 && depth < maxDepth {
		next()
		b = append(b, `"causes":[`...)
		for i, cause := range p.Causes {
			if i > 0 {
				b = append(b, ',')
			}
			if cause == nil {
				b = append(b, "null"...)
			} else {
				b = cause.appendJSON(b, depth+1)
			}
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

// UnmarshalJSON implements json.Unmarshaler. A member whose value is of another
// type than it should be is ignored, as RFC 9457, 3.1 asks; causes that are too
// deep or too many are left out.
func (p *Problem) UnmarshalJSON(data []byte) error {
	r := problemReader{dec: json.NewDecoder(bytes.NewReader(data)), problems: 2 * maxProblems}
	read, err := r.problem(0)
	if err == nil && read != nil {
		*p = *read
	}
	return err
}

// text is the error's.
func (p *Problem) text() string {
	if p.Type == problemBlank {
		return cmp.Or(p.Detail, p.Title)
	}
	return cmp.Or(p.Detail, p.Title, p.Type)
}

// problemReader reads one document, once.
type problemReader struct {
	dec      *json.Decoder
	problems int // how many more there may be
}

// problem reads an object, or null, which is nil.
func (r *problemReader) problem(depth int) (*Problem, error) {
	switch start, err := r.dec.Token(); {
	case err != nil:
		return nil, err
	case start == nil:
		return nil, nil
	case start != json.Delim('{'):
		return nil, fmt.Errorf("problem details: want an object, not %v", start)
	}
	p := &Problem{}
	for r.dec.More() {
		name, err := r.dec.Token()
		if err != nil {
			return nil, err
		}
		if err := r.member(p, name.(string), depth); err != nil {
			return nil, err
		}
	}
	if len(p.Members) > 0 {
		p.Members = append(p.Members, '}')
	}
	_, err := r.dec.Token()
	return p, err
}

// member reads the value of a member.
func (r *problemReader) member(p *Problem, name string, depth int) error {
	var other json.RawMessage
	var value any = &other
	switch name {
	case "type":
		value = &p.Type
	case "title":
		value = &p.Title
	case "status":
		value = &p.Status
	case "detail":
		value = &p.Detail
	case "retryable":
		value = &p.Retryable
	case "retry_after":
		value = &p.RetryAfter
	case "causes":
		if depth < maxDepth {
			return r.causes(p, depth)
		}
	}
	var mistyped *json.UnmarshalTypeError
	if err := r.dec.Decode(value); err != nil && !errors.As(err, &mistyped) {
		return err
	}
	if value == any(&other) && name != "causes" {
		quoted, _ := json.Marshal(name) // can't fail
		before := byte(',')
		if len(p.Members) == 0 {
			before = '{'
		}
		p.Members = append(append(append(append(p.Members, before), quoted...), ':'), other...)
	}
	return nil
}

// causes reads a list of problems.
func (r *problemReader) causes(p *Problem, depth int) error {
	switch start, err := r.dec.Token(); {
	case err != nil || start == nil:
		return err
	case start != json.Delim('['):
		return fmt.Errorf("problem details: want a list of causes, not %v", start)
	}
	p.Causes = nil
	for r.dec.More() {
		if r.problems--; r.problems < 0 {
			var beyond json.RawMessage
			if err := r.dec.Decode(&beyond); err != nil {
				return err
			}
			continue
		}
		cause, err := r.problem(depth + 1)
		if err != nil {
			return err
		}
		p.Causes = append(p.Causes, cause)
	}
	_, err := r.dec.Token()
	return err
}
