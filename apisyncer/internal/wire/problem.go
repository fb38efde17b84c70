// Package wire is what a client and a server of the HTTP backend say to each
// other, and how it is written.
//
// Errors go over as problem details (RFC 9457), and come back as what they were:
//
//	server: err ─ ProblemOf ─▶ *Problem ─ ServeHTTP ─▶ application/problem+json
//	client: application/problem+json ─ json.Unmarshal ─▶ *Problem ─ Err ─▶ err
//
// The error that comes out has the text of the one that went in, the same tree
// under it, the same answers for errors.Is, errors.As and sync.Retryable.
package wire

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/trueup-go/trueup/sync"
)

// What a Problem holds at most, so that neither an error without an end nor a
// document made to harm takes more than its share. What is beyond is left out;
// the texts of what is above it say it still.
const (
	// maxDepth is how many causes lead to a cause.
	maxDepth = 64
	// maxProblems is how many ProblemOf makes of one error. What is read may be
	// twice as many.
	maxProblems = 1 << 16
	// maxText is how many bytes the texts in it have, but for the one at the root:
	// everything that wraps an error repeats its text.
	maxText = 8 << 20
)

// Problem is an error as RFC 9457 has it. The zero value is a problem of which
// nothing is known. It is not to be changed while others use it.
type Problem struct {
	// Type says which error it is: "urn:trueup:problem:locked". "about:blank", or
	// empty: none that has a name.
	Type string
	// Title says it in general, Detail in particular: Detail is the error's text.
	Title, Detail string
	// Status is HTTP's. Only the root has a Title, a Status and RetryAfter.
	Status int
	// Retryable is sync.Retryable's answer. A cause that is "about:blank" and has
	// causes leaves it to them, unless its members say that it decides.
	Retryable bool
	// RetryAfter is how many seconds to wait at least; 0 if it isn't known.
	RetryAfter int
	// Members is a JSON object of the other members: the error's own fields. It may
	// be nil.
	Members json.RawMessage
	// Causes are what the error wraps, in its order. A nil one is a nil error in a
	// list of errors.
	Causes []*Problem
}

// ProblemOf returns the problem that an error is, nil for nil. Bytes that are not
// UTF-8 become U+FFFD on the way. What only an As method reaches is left out, but
// for its meaning: it hides there since its text is not for everybody.
func ProblemOf(err error) *Problem {
	if err == nil {
		return nil
	}
	e := problemEncoder{kinds: problemKinds(), problems: maxProblems, text: maxText + len(err.Error())}
	p, twin := e.encode(err, 0)
	kind := e.kinds.named(p.Type)
	p.Status, p.Retryable = e.kinds.status(twin), sync.Retryable(twin)
	switch {
	case p.Detail == "": // else the title would be taken for the text
	case kind.title != "":
		p.Title = kind.title
	default:
		p.Title = http.StatusText(p.Status) // as RFC 9457, 4.2.1 asks of about:blank
	}
	var throttled *sync.ThrottledError
	if errors.As(twin, &throttled) && throttled.After > 0 {
		p.RetryAfter = int((throttled.After-1)/time.Second) + 1
	}
	return p
}

// Err returns the error that the problem was made of, nil for nil. What has a type
// that this version doesn't know is an error with the text, the causes and the
// retryability that were given.
func (p *Problem) Err() error {
	if p == nil {
		return nil
	}
	d := problemDecoder{kinds: problemKinds(), problems: 2 * maxProblems}
	return d.decode(p, 0)
}

// ServeHTTP answers any request with the problem. A Status that is no error's is
// 500.
func (p *Problem) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	status := p.Status
	if status < 400 || status > 599 {
		status = http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/problem+json")
	if p.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	w.WriteHeader(status)
	_, _ = w.Write(p.appendJSON(nil, 0)) // whoever has gone needs no answer
}

// problemEncoder makes one Problem.
type problemEncoder struct {
	kinds problemTable
	// problems and text are how many more there may be of each.
	problems, text int
}

// encode returns the problem that an error is, and the error that a client will
// make of it. Only of that one is anything asked that walks a tree of errors: it
// has an end.
func (e *problemEncoder) encode(err error, depth int) (*Problem, error) {
	p := &Problem{Detail: err.Error()}
	isLeaf := depth >= maxDepth || e.isFull()
	e.problems--
	e.text -= len(p.Detail)

	var twins []error
	if !isLeaf {
		for i, cause := range causesOf(err) {
			if i > 0 && e.isFull() {
				break
			}
			var problem *Problem
			var twin error
			if cause != nil {
				problem, twin = e.encode(cause, depth+1)
			}
			p.Causes, twins = append(p.Causes, problem), append(twins, twin)
		}
	}
	kind := e.kinds.describe(p, err, isLeaf)
	twin := kind.err(p, twins)
	if p.Type != problemBlank || len(twins) == 0 { // whoever doesn't know the type can't tell
		p.Retryable = sync.Retryable(twin)
	}
	return p, twin
}

func (e *problemEncoder) isFull() bool { return e.problems <= 0 || e.text <= 0 }

// problemDecoder makes one error.
type problemDecoder struct {
	kinds    problemTable
	problems int // how many more there may be
}

func (d *problemDecoder) decode(p *Problem, depth int) error {
	d.problems--
	var causes []error
	if depth < maxDepth {
		for _, cause := range p.Causes {
			switch {
			case cause == nil:
				causes = append(causes, nil)
			case d.problems > 0:
				causes = append(causes, d.decode(cause, depth+1))
			}
		}
	}
	kind := d.kinds.named(p.Type)
	err := kind.err(p, causes)
	if err == nil {
		err = remoteOf(p, causes, d.kinds)
	}
	isUnknown := kind.name == "" && p.Type != problemBlank && p.Type != ""
	if remote, ok := err.(interface{ decide(retryable bool) }); ok && (isUnknown || len(causes) == 0 && sync.Retryable(err) != p.Retryable) {
		remote.decide(p.Retryable)
	}
	return err
}

// causesOf returns what an error wraps.
func causesOf(err error) []error {
	if errs, ok := listOf(err); ok {
		return errs
	}
	if cause := errors.Unwrap(err); cause != nil {
		return []error{cause}
	}
	return nil
}
