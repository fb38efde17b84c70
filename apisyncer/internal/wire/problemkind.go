package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/go-multierror"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

const (
	problemPrefix = "urn:trueup:problem:"
	problemBlank  = "about:blank"
)

// problemKind is one type of problem, and the error that it stands for.
type problemKind struct {
	// name is the end of the type's URI; empty: about:blank.
	name  string
	title string
	// status is HTTP's for an error that holds one; 0 if that depends on the rest.
	status int
	// sentinel is the error, where it is one value.
	sentinel error
	// members returns the members of a problem, a struct or nil, if that error
	// itself, not one that it wraps, is of the kind.
	members func(err error) (members any, ok bool)
	// err makes the error of a problem and of what it wraps; nil if the problem
	// lacks what the error needs.
	err func(p *Problem, causes []error) error
	// holds tells whether the error, or one that it wraps, is of the kind.
	holds func(err error) bool
}

// problemTable holds all kinds. The first that an error holds and that has a
// status gives the status of the whole.
type problemTable []problemKind

// problemKinds returns the one table of what errors are on the wire. A name in it
// never changes, nor does the meaning of a member: other versions read them.
func problemKinds() problemTable {
	return problemTable{
		typed("throttled", "too many requests", http.StatusTooManyRequests,
			func(e *sync.ThrottledError) throttledJSON { return throttledJSON(*e) },
			func(m throttledJSON, cause error) error { m.Err = cause; return (*sync.ThrottledError)(&m) }),
		sentinel("err-too-many-requests", http.StatusTooManyRequests, sync.ErrTooManyRequests),
		typed("locked", "the scope is locked", http.StatusLocked,
			func(e *sync.LockedError) lockedJSON { return lockedJSON(*e) },
			func(m lockedJSON, _ error) error { return (*sync.LockedError)(&m) }),
		sentinel("err-locked", http.StatusLocked, sync.ErrLocked),
		sentinel("err-lease-lost", http.StatusPreconditionFailed, sync.ErrLeaseLost),
		typed("stale", "the plan is stale", http.StatusConflict,
			func(e *sync.StaleError) staleJSON { return staleJSON(*e) },
			func(m staleJSON, cause error) error { m.Err = cause; return (*sync.StaleError)(&m) }),
		sentinel("err-stale", http.StatusConflict, sync.ErrStale),
		sentinel("err-no-state", http.StatusNotFound, sync.ErrNoState),
		sentinel("unsupported", http.StatusNotImplemented, errors.ErrUnsupported),

		typed("sync", "the declaration is wrong", http.StatusUnprocessableEntity,
			func(e sync.SyncErr) syncJSON { return syncJSON(e) },
			func(m syncJSON, cause error) error { m.Err = cause; return sync.SyncErr(m) }),
		typed("prune-limit", "too much would be deleted", http.StatusUnprocessableEntity,
			func(e *sync.PruneLimitError) pruneLimitJSON { return pruneLimitJSON(*e) },
			func(m pruneLimitJSON, _ error) error { return (*sync.PruneLimitError)(&m) }),
		sentinel("err-prune-limit", http.StatusUnprocessableEntity, sync.ErrPruneLimit),
		typed("uncertain", "nobody knows whether it exists", http.StatusUnprocessableEntity,
			func(e *sync.UncertainError) keyJSON { return keyJSON{keyText(e.Key)} },
			func(m keyJSON, cause error) error {
				return &sync.UncertainError{Key: state.Key(m.Key), Err: cause}
			}),
		sentinel("err-uncertain", http.StatusUnprocessableEntity, sync.ErrUncertain),
		typed("field", "a field is wrong", http.StatusUnprocessableEntity,
			func(e diff.FieldError) fieldJSON { return fieldJSON{e.Path, e.Line, e.Problem, e.Hint} },
			func(m fieldJSON, _ error) error {
				return diff.FieldError{Path: m.Path, Line: m.Line, Problem: m.Problem, Hint: m.Hint}
			}),
		typed("delta", "the delta can't be committed", http.StatusUnprocessableEntity,
			func(e *state.DeltaError) deltaJSON { return deltaJSON(*e) },
			func(m deltaJSON, cause error) error { m.Err = cause; return (*state.DeltaError)(&m) }),
		typed("unknown-dependency", "a dependency is not declared", http.StatusUnprocessableEntity,
			func(e *diff.UnknownError) unknownJSON {
				return unknownJSON{keyText(e.From), keyText(e.To), keyText(e.Near)}
			},
			func(m unknownJSON, _ error) error {
				return &diff.UnknownError{From: state.Key(m.From), To: state.Key(m.To), Near: state.Key(m.Near)}
			}),
		typed("cycle", "resources depend on each other in a circle", http.StatusUnprocessableEntity, cycleMembers, cycleOf),
		sentinel("err-empty-declaration", http.StatusUnprocessableEntity, sync.ErrEmptyDeclaration),
		sentinel("err-unknown-kind", http.StatusUnprocessableEntity, sync.ErrUnknownKind),
		sentinel("err-kind-version", http.StatusUnprocessableEntity, sync.ErrKindVersion),
		sentinel("err-exists", http.StatusUnprocessableEntity, sync.ErrExists),
		sentinel("err-secret-unavailable", http.StatusUnprocessableEntity, sync.ErrSecretUnavailable),
		sentinel("err-digest-key-withheld", http.StatusForbidden, sync.ErrDigestKeyWithheld),
		sentinel("err-protected", http.StatusUnprocessableEntity, sync.ErrProtected),

		// The request came to its end before its answer did. 499 is no standard.
		sentinel("cancelled", http.StatusRequestTimeout, context.Canceled),

		// Of the rest, those that are retryable are 503, the others 500.
		typed("sync-api", "the backend failed on a resource", 0,
			func(e sync.SyncAPIErr) apiJSON { return apiJSON(e) },
			func(m apiJSON, cause error) error { m.Err = cause; return sync.SyncAPIErr(m) }),
		typed("sync-internal", "the sync failed", 0,
			func(e sync.SyncInternalErr) internalJSON { return internalJSON(e) },
			func(m internalJSON, cause error) error { m.Err = cause; return sync.SyncInternalErr(m) }),
		typed("blocked", "something that it depends on failed", 0,
			func(e *sync.BlockedError) blockedJSON { return blockedJSON{keyText(e.Key), keyText(e.By)} },
			func(m blockedJSON, _ error) error {
				return &sync.BlockedError{Key: state.Key(m.Key), By: state.Key(m.By)}
			}),
		typed("checksum", "what is stored doesn't fit its checksum", 0,
			func(e *state.ChecksumError) checksumJSON { return checksumJSON{keyText(e.Key), e.Want, e.Got} },
			func(m checksumJSON, _ error) error {
				return &state.ChecksumError{Key: state.Key(m.Key), Want: m.Want, Got: m.Got}
			}),
		sentinel("err-newer-version", 0, state.ErrNewerVersion),
		sentinel("err-unhealthy", 0, sync.ErrUnhealthy),
		sentinel("deadline-exceeded", 0, context.DeadlineExceeded),
		sentinel("eof", 0, io.EOF),
		sentinel("unexpected-eof", 0, io.ErrUnexpectedEOF),
		sentinel("connection-reset", 0, syscall.ECONNRESET),
		sentinel("connection-refused", 0, syscall.ECONNREFUSED),
		sentinel("broken-pipe", 0, syscall.EPIPE),
		sentinel("exist", 0, fs.ErrExist),
		sentinel("not-exist", 0, fs.ErrNotExist),
		sentinel("permission", 0, fs.ErrPermission),
		several(),
	}
}

// The members of the typed errors. Where the fields are the same but for what
// their tags say, a conversion holds that none is forgotten. Err is a cause.
type (
	throttledJSON struct {
		After time.Duration `json:"after_ns"`
		Err   error         `json:"-"`
	}
	lockedJSON struct {
		Scope   state.Scope `json:"scope"`
		Owner   string      `json:"owner"`
		Since   time.Time   `json:"since"`
		Expires time.Time   `json:"expires"`
	}
	staleJSON struct {
		PlannedSerial int64    `json:"planned_serial"`
		Serial        int64    `json:"serial"`
		Moved         []string `json:"moved"`
		Err           error    `json:"-"`
	}
	syncJSON struct {
		Resource    string `json:"resource"`
		Description string `json:"description"`
		Err         error  `json:"-"`
	}
	apiJSON struct {
		Resource string `json:"resource"`
		Err      error  `json:"-"`
	}
	internalJSON struct {
		Description string `json:"description"`
		Err         error  `json:"-"`
	}
	deltaJSON struct {
		Err error `json:"-"`
	}
	pruneLimitJSON struct {
		Deletes int `json:"deletes"`
		Records int `json:"records"`
		Limit   int `json:"limit"`
	}
	fieldJSON struct {
		Path    string `json:"path"`
		Line    int    `json:"line,omitempty"`
		Problem string `json:"problem"`
		Hint    string `json:"hint"`
	}
	keyJSON struct {
		Key keyText `json:"key"`
	}
	blockedJSON struct {
		Key keyText `json:"key"`
		By  keyText `json:"by"`
	}
	unknownJSON struct {
		From keyText `json:"from"`
		To   keyText `json:"to"`
		Near keyText `json:"near,omitzero"`
	}
	cycleJSON struct {
		Keys []keyText `json:"keys"`
	}
	checksumJSON struct {
		Key  keyText        `json:"key,omitzero"`
		Want state.Checksum `json:"want"`
		Got  state.Checksum `json:"got"`
	}
)

// keyText is a key as "kind/name". An error may be about a key that isn't valid.
type keyText state.Key

// MarshalText refuses a key that would be read as another one.
func (k keyText) MarshalText() ([]byte, error) {
	if strings.Contains(k.Kind, "/") {
		return nil, fmt.Errorf("kind %q holds a slash", k.Kind)
	}
	return []byte(state.Key(k).String()), nil
}

// UnmarshalText takes any text.
func (k *keyText) UnmarshalText(text []byte) error {
	k.Kind, k.Name, _ = strings.Cut(string(text), "/")
	return nil
}

func cycleMembers(e *diff.CycleError) cycleJSON {
	var m cycleJSON
	for _, key := range e.Keys {
		m.Keys = append(m.Keys, keyText(key))
	}
	return m
}

// cycleOf returns nil if no resource is in it: such an error has no text.
func cycleOf(m cycleJSON, _ error) error {
	if len(m.Keys) == 0 {
		return nil
	}
	e := &diff.CycleError{}
	for _, key := range m.Keys {
		e.Keys = append(e.Keys, state.Key(key))
	}
	return e
}

// sentinel is the kind of one error value.
func sentinel(name string, status int, value error) problemKind {
	return problemKind{
		name: name, title: value.Error(), status: status, sentinel: value,
		members: func(err error) (any, bool) { return nil, err == value }, //nolint:errorlint // not one that it wraps
		err: func(p *Problem, _ []error) error {
			if p.Detail == "" || p.Detail == value.Error() {
				return value
			}
			return &remoteError{text: p.Detail, is: []error{value}} // another version, or system, has other words for it
		},
		holds: func(err error) bool { return errors.Is(err, value) },
	}
}

// typed is the kind of an error type E, whose fields but for its cause are those
// of the struct M.
func typed[E error, M any](name, title string, status int, members func(E) M, from func(M, error) error) problemKind {
	return problemKind{
		name: name, title: title, status: status,
		members: func(err error) (any, bool) {
			e, ok := err.(E) //nolint:errorlint // not one that it wraps
			if !ok {
				return nil, false
			}
			return members(e), true
		},
		err: func(p *Problem, causes []error) error {
			var m M
			if len(p.Members) > 0 && json.Unmarshal(p.Members, &m) != nil {
				return nil
			}
			var cause error
			if len(causes) > 0 {
				cause = causes[0]
			}
			return from(m, cause)
		},
		holds: func(err error) bool {
			var e E
			return errors.As(err, &e)
		},
	}
}

// several is the kind of a *multierror.Error. A format of its own can't be sent:
// the text that it made is, and holds as long as nothing is appended.
func several() problemKind {
	return problemKind{
		name: "several", title: "several errors",
		members: func(err error) (any, bool) {
			_, ok := err.(*multierror.Error) //nolint:errorlint // not one that it wraps
			return nil, ok
		},
		err: func(p *Problem, causes []error) error {
			errs := &multierror.Error{Errors: causes}
			if p.Detail == "" || p.Detail == errs.Error() {
				return errs
			}
			text, n := p.Detail, len(causes)
			errs.ErrorFormat = func(errs []error) string {
				if len(errs) == n {
					return text
				}
				return multierror.ListFormatFunc(errs)
			}
			return errs
		},
		holds: func(error) bool { return false },
	}
}

// named returns the kind of problems with that type. If it isn't known, that is
// the kind of about:blank.
func (t problemTable) named(uri string) problemKind {
	if name, ok := strings.CutPrefix(uri, problemPrefix); ok {
		for _, kind := range t {
			if kind.name == name {
				return kind
			}
		}
	}
	return t.blank()
}

// blank is the kind of errors that no other is for.
func (t problemTable) blank() problemKind {
	return problemKind{err: func(p *Problem, causes []error) error { return remoteOf(p, causes, t) }}
}

// describe gives a problem, which has its causes, its type and its members, and
// returns its kind. A leaf stands for an error without its causes, and without its
// type, which may need them.
func (t problemTable) describe(p *Problem, err error, isLeaf bool) problemKind {
	for _, kind := range t {
		members, ok := kind.members(err)
		if !ok || isLeaf && kind.sentinel == nil {
			continue
		}
		var unwritable error
		if members != nil {
			p.Members, unwritable = json.Marshal(members)
		}
		if unwritable == nil { // as of a year beyond 9999
			p.Type = problemPrefix + kind.name
			return kind
		}
	}
	members, retryable := remoteMembersOf(err, isLeaf, t)
	p.Type, p.Retryable = problemBlank, retryable
	p.Members, _ = json.Marshal(members) // names and booleans
	return t.blank()
}

// status returns HTTP's for an error.
func (t problemTable) status(err error) int {
	for _, kind := range t {
		if kind.status > 0 && kind.holds(err) {
			return kind.status
		}
	}
	if sync.Retryable(err) {
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
