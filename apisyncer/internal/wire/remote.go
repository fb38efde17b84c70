package wire

import (
	"encoding/json"
	"errors"
	"net"
	"slices"

	"github.com/hashicorp/go-multierror"

	"github.com/trueup-go/trueup/sync"
)

// remoteError is an error of a type that has no name on the wire. It has the text
// and what can be asked of any error.
type remoteError struct {
	text string
	is   []error // the sentinels that it says it is, beside those that it wraps
	able []error // what As finds in it, beside what it wraps
}

// Error returns the text.
func (e *remoteError) Error() string { return e.text }

// Is tells whether the error said that it is target.
func (e *remoteError) Is(target error) bool { return slices.Contains(e.is, target) }

// As finds what the error could do: Retryable() bool, or what a net.Error can.
func (e *remoteError) As(target any) bool {
	return slices.ContainsFunc(e.able, func(able error) bool { return errors.As(able, target) })
}

func (e *remoteError) decide(retryable bool) {
	e.able = append(e.able, &remoteVerdict{e.text, retryable})
}

// remoteWrap wraps one error, remoteJoin any number: whoever splits what is joined
// must not split what is wrapped.
type (
	remoteWrap struct {
		remoteError
		cause error
	}
	remoteJoin struct {
		remoteError
		causes []error
	}
)

// Unwrap returns the cause.
func (e *remoteWrap) Unwrap() error { return e.cause }

// Unwrap returns the causes.
func (e *remoteJoin) Unwrap() []error { return e.causes }

// remoteVerdict is an error that knows whether it is retryable.
type remoteVerdict struct {
	text      string
	retryable bool
}

func (v *remoteVerdict) Error() string   { return v.text }
func (v *remoteVerdict) Retryable() bool { return v.retryable }

// remoteNetwork is a net.Error.
type remoteNetwork struct {
	text    string
	timeout bool
}

func (n *remoteNetwork) Error() string   { return n.text }
func (n *remoteNetwork) Timeout() bool   { return n.timeout }
func (n *remoteNetwork) Temporary() bool { return n.timeout }

// remoteMembers are the members of a problem of a type without a name.
type remoteMembers struct {
	// Is are the names of the sentinels that the error itself says it is.
	Is []string `json:"is,omitempty"`
	// Joined says that it is a list of errors, rather than one that wraps one.
	Joined bool `json:"joined,omitempty"`
	// Decides says that "retryable" is the error's own word, which goes before what
	// its causes say.
	Decides bool `json:"decides,omitempty"`
	// Timeout is there if it is a net.Error.
	Timeout *bool `json:"timeout,omitempty"`
}

// remoteMembersOf says what can be asked of an error. Whether it decides is its
// own word then.
func remoteMembersOf(err error, isLeaf bool, kinds problemTable) (m remoteMembers, decision bool) {
	if is, ok := err.(interface{ Is(target error) bool }); ok {
		for _, kind := range kinds {
			if kind.sentinel != nil && is.Is(kind.sentinel) {
				m.Is = append(m.Is, kind.name)
			}
		}
	}
	_, m.Joined = listOf(err)
	m.Joined = m.Joined && !isLeaf
	if network, ok := own[net.Error](err); ok {
		timeout := network.Timeout()
		m.Timeout = &timeout
	}
	if _, ok := own[sync.SyncErr](err); ok { // see sync.Retryable
		m.Decides = true
	} else if knows, ok := own[interface{ Retryable() bool }](err); ok {
		m.Decides, decision = true, knows.Retryable()
	}
	return m, decision
}

// own finds a T in an error itself, or behind its As method.
func own[T any](err error) (T, bool) {
	if found, ok := err.(T); ok {
		return found, true
	}
	var found T
	as, ok := err.(interface{ As(target any) bool })
	return found, ok && as.As(&found)
}

// listOf returns the errors of an error that is a list of them.
func listOf(err error) ([]error, bool) {
	switch list := err.(type) { //nolint:errorlint // not in what it wraps
	case *multierror.Error:
		return list.Errors, true
	case interface{ Unwrap() []error }:
		return list.Unwrap(), true
	}
	return nil, false
}

// remoteOf makes an error of a problem of whatever type.
func remoteOf(p *Problem, causes []error, kinds problemTable) error {
	var m remoteMembers
	if len(p.Members) > 0 {
		_ = json.Unmarshal(p.Members, &m) // what it can't be read as isn't said
	}
	own := remoteError{text: p.text()}
	for _, name := range m.Is {
		if sentinel := kinds.named(problemPrefix + name).sentinel; sentinel != nil && !slices.Contains(own.is, sentinel) {
			own.is = append(own.is, sentinel)
		}
	}
	if m.Timeout != nil {
		own.able = append(own.able, &remoteNetwork{own.text, *m.Timeout})
	}
	if m.Decides {
		own.decide(p.Retryable)
	}
	switch {
	case m.Joined || len(causes) > 1:
		return &remoteJoin{own, causes}
	case len(causes) == 1:
		return &remoteWrap{own, causes[0]}
	}
	return &own
}
