package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-multierror"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// TestEveryErrorHasItsOwnType holds that whoever adds an error adds it here, to
// the table, and to what the property below is made of.
func TestEveryErrorHasItsOwnType(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	covered := map[string]bool{}
	for _, make := range typedErrors() {
		err := make(r, nil)
		covered[strings.TrimPrefix(fmt.Sprintf("%T", err), "*")] = true
		require.True(t, strings.HasPrefix(ProblemOf(err).Type, problemPrefix), "%T is %s", err, ProblemOf(err).Type)
	}
	for name, err := range sentinels() {
		covered[name] = true
		p := ProblemOf(err)
		require.True(t, strings.HasPrefix(p.Type, problemPrefix), "%s is %s", name, p.Type)
		require.True(t, overHTTP(t, err) == err, "%s comes back as another value", name) //nolint:errorlint // the value itself
	}
	for _, dir := range []string{"state", "diff", "sync"} {
		for _, name := range errorsOf(t, dir) {
			require.True(t, covered[name], "%s is in no table: a client would not get it back", name)
		}
	}
}

// TestNamesAreUnique: a name that is there twice would be read as the first.
func TestNamesAreUnique(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, kind := range problemKinds() {
		require.False(t, seen[kind.name], kind.name)
		seen[kind.name] = true
	}
}

// TestErrorsSurvive makes errors at random, of everything there is and in each
// other, and compares them with what a client makes of them.
func TestErrorsSurvive(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4000) {
		r := rand.New(rand.NewPCG(seed, 3))
		err := randomError(r, 1+r.IntN(5))
		got := overHTTP(t, err)
		requireSame(t, err, got, fmt.Sprintf("seed %d: %T", seed, err))

		again := ProblemOf(got)
		require.Equal(t, marshal(t, ProblemOf(err)), marshal(t, again), "seed %d: a server behind a server says something else", seed)
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err    error
		status int
	}{
		{&sync.StaleError{Err: sync.SyncErr{}}, http.StatusConflict},
		{sync.SyncInternalErr{Description: "apply", Err: sync.ErrStale}, http.StatusConflict},
		{&sync.LockedError{}, http.StatusLocked},
		{errors.Join(context.Canceled, sync.ErrLocked), http.StatusLocked},
		{sync.ErrLeaseLost, http.StatusPreconditionFailed},
		{fmt.Errorf("serial 4: %w", sync.ErrNoState), http.StatusNotFound},
		{multierror.Append(nil, sync.SyncErr{}), http.StatusUnprocessableEntity},
		{&sync.PruneLimitError{}, http.StatusUnprocessableEntity},
		{sync.SyncErr{Err: sync.ErrProtected}, http.StatusUnprocessableEntity},
		{sync.ErrEmptyDeclaration, http.StatusUnprocessableEntity},
		{&diff.CycleError{Keys: []state.Key{{Kind: "a", Name: "b"}}}, http.StatusUnprocessableEntity},
		{sync.SyncAPIErr{Err: &sync.ThrottledError{}}, http.StatusTooManyRequests},
		{sync.SyncInternalErr{Err: errors.ErrUnsupported}, http.StatusNotImplemented},
		{context.Canceled, http.StatusRequestTimeout},
		{context.DeadlineExceeded, http.StatusServiceUnavailable},
		{io.ErrUnexpectedEOF, http.StatusServiceUnavailable},
		{&verdictError{true}, http.StatusServiceUnavailable},
		{&verdictError{false}, http.StatusInternalServerError},
		{errors.New("no idea"), http.StatusInternalServerError},
		{&state.ChecksumError{}, http.StatusInternalServerError},
		{&state.DeltaError{Err: &state.ChecksumError{}}, http.StatusUnprocessableEntity},
	} {
		require.Equal(t, test.status, ProblemOf(test.err).Status, "%v", test.err)
	}
}

// TestServeHTTP is what goes over the wire, byte by byte. Other versions read it.
func TestServeHTTP(t *testing.T) {
	t.Parallel()
	since := time.Date(2026, 7, 1, 12, 0, 0, 5, time.UTC)
	for _, test := range []struct {
		err        error
		status     int
		retryAfter string
		body       string
	}{
		{
			&sync.LockedError{Scope: state.Scope{Org: "acme", App: "shop"}, Owner: "ci", Since: since, Expires: since.Add(time.Minute)}, 423, "",
			`{"type":"urn:trueup:problem:locked","title":"the scope is locked","status":423,"detail":"acme/shop is locked by ci since 2026-07-01T12:00:00Z: wait for it to end; a dead holder's lock lapses by itself within 15s","retryable":true,` +
				`"scope":{"org":"acme","app":"shop"},"owner":"ci","since":"2026-07-01T12:00:00.000000005Z","expires":"2026-07-01T12:01:00.000000005Z"}`,
		},
		{
			sync.SyncAPIErr{Resource: "component/api", Err: &sync.ThrottledError{After: 1500 * time.Millisecond}}, 429, "2",
			`{"type":"urn:trueup:problem:sync-api","title":"the backend failed on a resource","status":429,"detail":"unable to sync component/api - too many requests","retry_after":2,"resource":"component/api",` +
				`"causes":[{"type":"urn:trueup:problem:throttled","detail":"too many requests","after_ns":1500000000}]}`,
		},
		{
			fmt.Errorf("<a> & %w", errors.Join(sync.ErrLeaseLost, timeoutError{true})), 412, "",
			`{"type":"about:blank","title":"Precondition Failed","status":412,"detail":"\u003ca\u003e \u0026 the lease on the scope was lost\ntimed out: true","retryable":true,"causes":[` +
				`{"type":"about:blank","detail":"the lease on the scope was lost\ntimed out: true","joined":true,"causes":[` +
				`{"type":"urn:trueup:problem:err-lease-lost","detail":"the lease on the scope was lost","retryable":true},` +
				`{"type":"about:blank","detail":"timed out: true","retryable":true,"timeout":true}]}]}`,
		},
	} {
		w := httptest.NewRecorder()
		ProblemOf(test.err).ServeHTTP(w, nil)
		require.Equal(t, test.status, w.Code)
		require.Equal(t, test.retryAfter, w.Header().Get("Retry-After"))
		require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
		require.Equal(t, test.body, w.Body.String())
	}

	for after, seconds := range map[time.Duration]int{-1: 0, 0: 0, 1: 1, 2 * time.Second: 2, 2*time.Second + 1: 3} {
		require.Equal(t, seconds, ProblemOf(&sync.ThrottledError{After: after}).RetryAfter, "%v", after)
	}

	w := httptest.NewRecorder()
	(&Problem{Status: 200}).ServeHTTP(w, nil)
	require.Equal(t, http.StatusInternalServerError, w.Code, "a problem that says it is none")
}

// TestUnknownProblem is one of a newer server's, or of a proxy's.
func TestUnknownProblem(t *testing.T) {
	t.Parallel()
	for _, retryable := range []bool{true, false} {
		err := read(t, fmt.Sprintf(`{"type":"urn:trueup:problem:eclipse","title":"dark","status":503,"detail":"the sun is gone","retryable":%v,
			"limit":{"moon":[1]},"is":7,"instance":"/x",
			"causes":[{"type":"urn:trueup:problem:err-locked"},{"type":"urn:trueup:problem:sync-api","resource":"a/b"}]}`, retryable)).Err()
		require.EqualError(t, err, "the sun is gone")
		require.Equal(t, retryable, sync.Retryable(err))
		require.ErrorIs(t, err, sync.ErrLocked)
		var api sync.SyncAPIErr
		require.ErrorAs(t, err, &api)
		require.Equal(t, "a/b", api.Resource)
	}
	for text, want := range map[string]string{
		`{}`:                             "",
		`{"title":"Bad Gateway"}`:        "Bad Gateway",
		`{"type":"https://example.org"}`: "https://example.org",
		`{"detail":7,"status":"x","title":"Bad Gateway"}`:                               "Bad Gateway",
		`{"type":"urn:trueup:problem:cycle","detail":"round","keys":[]}`:                "round",
		`{"type":"urn:trueup:problem:locked","detail":"by the moon","since":"tonight"}`: "by the moon",
		`{"type":"urn:trueup:problem:err-locked","detail":"verrouillé"}`:                "verrouillé",
	} {
		err := read(t, text).Err()
		require.EqualError(t, err, want, text)
		require.Equal(t, strings.Contains(text, "err-locked"), errors.Is(err, sync.ErrLocked))
	}
	require.NoError(t, (*Problem)(nil).Err())
	require.Nil(t, ProblemOf(nil))
}

// TestHiddenErrorsStayHidden: an error without Unwrap hides what its As reaches,
// since the text of that holds a secret. Its meaning is known all the same.
func TestHiddenErrorsStayHidden(t *testing.T) {
	t.Parallel()
	for _, inner := range []error{
		sync.SyncErr{Resource: "a/b", Description: "hunter2"},
		&sync.ThrottledError{Err: errors.New("hunter2")},
		fmt.Errorf("hunter2: %w", sync.ErrLocked),
		fmt.Errorf("hunter2: %w", &verdictError{true}),
		fmt.Errorf("hunter2: %w", timeoutError{true}),
		fmt.Errorf("hunter2: %w", fs.ErrNotExist),
	} {
		hidden := &hidingError{inner}
		require.NotContains(t, marshal(t, ProblemOf(hidden)), "hunter2")
		got := overHTTP(t, fmt.Errorf("create: %w", hidden))
		require.EqualError(t, got, "create: (sensitive)")
		require.Equal(t, sync.Retryable(inner), sync.Retryable(got), "%v", inner)
		for name, s := range sentinels() {
			require.Equal(t, errors.Is(inner, s), errors.Is(got, s), name)
		}
	}
}

// TestAppendToDecoded: what is added to a decoded list is in its text.
func TestAppendToDecoded(t *testing.T) {
	t.Parallel()
	custom := &multierror.Error{Errors: []error{io.EOF}, ErrorFormat: func([]error) string { return "one mistake" }}
	var got *multierror.Error
	require.ErrorAs(t, overHTTP(t, custom), &got)
	require.EqualError(t, got, "one mistake")
	require.ErrorContains(t, multierror.Append(got, errors.New("another")), "another")
}

// TestErrorsWithoutEnd holds that the encoder comes to an end, with the text and
// within the limits.
func TestErrorsWithoutEnd(t *testing.T) {
	t.Parallel()
	circle := &loopError{text: "round"}
	circle.causes = []error{circle}
	bush := &loopError{text: strings.Repeat("leaf ", 200)}
	bush.causes = []error{bush, sync.SyncAPIErr{Resource: "a/b", Err: bush}, bush}
	single := &ownCauseError{}
	deep := error(sync.ErrLocked)
	for range 1_000_000 {
		deep = &loopError{text: "deep", causes: []error{deep}}
	}
	wide := &loopError{text: "wide", causes: slices.Repeat([]error{io.EOF}, 3*maxProblems)}
	for _, err := range []error{circle, bush, single, deep, wide} {
		p := ProblemOf(err)
		n, depth, text := measure(p)
		require.LessOrEqual(t, n, maxProblems+1)
		require.LessOrEqual(t, depth, maxDepth)
		require.LessOrEqual(t, text, maxText+2*len(err.Error())+100)
		body := marshal(t, p)
		got := read(t, body).Err()
		require.EqualError(t, got, err.Error())
		again, _, _ := measure(ProblemOf(got))
		require.Equal(t, n, again)
		sync.Retryable(got)
	}
}

// TestLimitsOfReading: of a document that a hostile server made, no more than the
// limits is read, and no more of a Problem is made an error of.
func TestLimitsOfReading(t *testing.T) {
	t.Parallel()
	wide := `{"causes":[` + strings.Repeat("{},", 10*maxProblems) + `{}]}`
	p := read(t, wide)
	require.Len(t, p.Causes, 2*maxProblems)
	deep := strings.Repeat(`{"causes":[`, 3000) + strings.Repeat(`]}`, 3000)
	_, depth, _ := measure(read(t, deep))
	require.Equal(t, maxDepth, depth)
	require.Error(t, json.Unmarshal([]byte(strings.Repeat(`{"causes":[`, 1_000_000)), &Problem{}))

	circle := &Problem{Detail: "round"}
	circle.Causes = []*Problem{circle, circle}
	require.EqualError(t, circle.Err(), "round")
}

func FuzzProblem(f *testing.F) {
	r := rand.New(rand.NewPCG(2, 7))
	for _, make := range typedErrors() {
		f.Add([]byte(marshal(f, ProblemOf(make(r, io.EOF)))))
	}
	f.Add([]byte(marshal(f, ProblemOf(errors.Join(&verdictError{true}, multierror.Append(nil, timeoutError{}), &isError{sync.ErrLocked})))))
	f.Add([]byte(`{"type":"urn:trueup:problem:cycle","keys":[],"causes":[null,{"causes":null}]}`))
	f.Add([]byte(`{"type":"urn:trueup:problem:several","causes":[null,{}],"retryable":true}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var p Problem
		if json.Unmarshal(data, &p) != nil {
			return
		}
		err := p.Err()
		_ = sync.Retryable(err)
		var net net.Error
		if errors.As(err, &net) {
			_ = net.Error()
		}
		requireSame(t, err, overHTTP(t, err), string(data))
		if got, want := len(marshal(t, &p)), 100+20*len(data); got > want { // a control character takes 6 bytes, once with every level above
			t.Errorf("%d bytes became %d", len(data), got)
		}
	})
}

// BenchmarkProblemOf is a sync in which all of 10,000 resources failed.
func BenchmarkProblemOf(b *testing.B) {
	var errs *multierror.Error
	for i := range 10_000 {
		errs = multierror.Append(errs, sync.SyncAPIErr{Resource: fmt.Sprintf("component/c%d", i), Err: fmt.Errorf("store it: %w", io.ErrUnexpectedEOF)})
	}
	b.ReportAllocs()
	for b.Loop() {
		body := marshal(b, ProblemOf(errs))
		b.SetBytes(int64(len(body)))
		_ = read(b, body).Err()
	}
}

// sentinels are all error values that are to be the same at the client.
func sentinels() map[string]error {
	return map[string]error{
		"sync.ErrStale": sync.ErrStale, "sync.ErrLocked": sync.ErrLocked, "sync.ErrLeaseLost": sync.ErrLeaseLost,
		"sync.ErrEmptyDeclaration": sync.ErrEmptyDeclaration, "sync.ErrPruneLimit": sync.ErrPruneLimit,
		"sync.ErrUnknownKind": sync.ErrUnknownKind, "sync.ErrKindVersion": sync.ErrKindVersion,
		"sync.ErrExists": sync.ErrExists, "sync.ErrUncertain": sync.ErrUncertain,
		"sync.ErrSecretUnavailable": sync.ErrSecretUnavailable, "sync.ErrProtected": sync.ErrProtected,
		"sync.ErrDigestKeyWithheld": sync.ErrDigestKeyWithheld,
		"sync.ErrTooManyRequests":   sync.ErrTooManyRequests, "sync.ErrUnhealthy": sync.ErrUnhealthy,
		"sync.ErrNoState": sync.ErrNoState, "state.ErrNewerVersion": state.ErrNewerVersion,
		"context.Canceled": context.Canceled, "context.DeadlineExceeded": context.DeadlineExceeded,
		"errors.ErrUnsupported": errors.ErrUnsupported, "io.EOF": io.EOF, "io.ErrUnexpectedEOF": io.ErrUnexpectedEOF,
		"syscall.ECONNRESET": syscall.ECONNRESET, "syscall.ECONNREFUSED": syscall.ECONNREFUSED, "syscall.EPIPE": syscall.EPIPE,
		"fs.ErrExist": fs.ErrExist, "fs.ErrNotExist": fs.ErrNotExist, "fs.ErrPermission": fs.ErrPermission,
	}
}

// typedErrors make an error of each type, with fields at random. Those without a
// cause ignore it.
func typedErrors() []func(r *rand.Rand, cause error) error {
	return []func(r *rand.Rand, cause error) error{
		func(r *rand.Rand, cause error) error {
			return sync.SyncErr{Resource: randomText(r), Description: randomText(r), Err: cause}
		},
		func(r *rand.Rand, cause error) error { return sync.SyncAPIErr{Resource: randomText(r), Err: cause} },
		func(r *rand.Rand, cause error) error {
			return sync.SyncInternalErr{Description: randomText(r), Err: cause}
		},
		func(r *rand.Rand, _ error) error {
			return &sync.LockedError{Scope: state.Scope{Org: randomText(r), App: randomText(r)}, Owner: randomText(r), Since: randomTime(r), Expires: randomTime(r)}
		},
		func(r *rand.Rand, cause error) error {
			moved := [][]string{nil, {}, {randomText(r), randomText(r)}}
			return &sync.StaleError{PlannedSerial: r.Int64(), Serial: -r.Int64(), Moved: moved[r.IntN(3)], Err: cause}
		},
		func(r *rand.Rand, _ error) error {
			return &sync.PruneLimitError{Deletes: r.Int(), Records: r.IntN(9), Limit: -r.IntN(9)}
		},
		func(_ *rand.Rand, cause error) error { return &state.DeltaError{Err: cause} },
		func(r *rand.Rand, _ error) error { return &sync.BlockedError{Key: randomKey(r), By: randomKey(r)} },
		func(r *rand.Rand, cause error) error {
			return &sync.ThrottledError{After: time.Duration(r.Int64() >> r.IntN(60)), Err: cause}
		},
		func(r *rand.Rand, cause error) error { return &sync.UncertainError{Key: randomKey(r), Err: cause} },
		func(r *rand.Rand, _ error) error {
			return &state.ChecksumError{Key: randomKey(r), Want: state.Sum([]byte(randomText(r)))}
		},
		func(r *rand.Rand, _ error) error {
			return diff.FieldError{Path: randomText(r), Problem: randomText(r), Hint: randomText(r)}
		},
		func(r *rand.Rand, _ error) error {
			return &diff.UnknownError{From: randomKey(r), To: randomKey(r), Near: randomKey(r)}
		},
		func(r *rand.Rand, _ error) error {
			return &diff.CycleError{Keys: []state.Key{randomKey(r), randomKey(r)}}
		},
	}
}

// randomError makes one of at most that many levels.
func randomError(r *rand.Rand, depth int) error {
	if depth <= 1 {
		leaves := []error{
			errors.New(randomText(r)), timeoutError{r.IntN(2) == 0}, &verdictError{r.IntN(2) == 0},
			syscall.ENOENT, syscall.ENOTSUP, syscall.ETIMEDOUT, &fs.PathError{Op: "open", Path: "/x", Err: syscall.EACCES},
			&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED},
		}
		for _, s := range sentinels() {
			leaves = append(leaves, s)
		}
		slices.SortStableFunc(leaves[8:], func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
		return leaves[r.IntN(len(leaves))]
	}
	child := func() error { return randomError(r, depth-1-r.IntN(2)) }
	list := func() []error {
		errs := make([]error, r.IntN(4))
		for i := range errs {
			errs[i] = child()
		}
		return errs
	}
	typed := typedErrors()
	switch r.IntN(10) {
	case 0, 1, 2:
		return typed[r.IntN(len(typed))](r, child())
	case 3:
		return typed[r.IntN(len(typed))](r, nil)
	case 4:
		return fmt.Errorf("%s: %w", randomText(r), child())
	case 5:
		return fmt.Errorf("%w and %w", child(), child())
	case 6:
		return errors.Join(append(list(), child())...)
	case 7:
		errs := &multierror.Error{Errors: list()}
		if r.IntN(2) == 0 {
			text := randomText(r)
			errs.ErrorFormat = func(errs []error) string { return fmt.Sprintf("%d: %s", len(errs), text) }
		}
		return errs
	case 8:
		return &isError{child()}
	default:
		return &decidingError{verdictError{r.IntN(2) == 0}, child()}
	}
}

func randomText(r *rand.Rand) string {
	texts := []string{"", "a", "component/api", "line\nbreak", `"<&>\`, "ü → \u2028", "about:blank", "null", "\x00"}
	return texts[r.IntN(len(texts))]
}

func randomKey(r *rand.Rand) state.Key {
	keys := []state.Key{{}, {Kind: "component", Name: "api"}, {Kind: "No Kind", Name: "a/b/c"}, {Name: "x"}, {Kind: "x"}}
	return keys[r.IntN(len(keys))]
}

func randomTime(r *rand.Rand) time.Time {
	times := []time.Time{{}, time.Unix(r.Int64N(math.MaxUint32), r.Int64N(1e9)), time.Unix(0, 7).In(time.FixedZone("", -5400))}
	return times[r.IntN(len(times))]
}

// requireSame compares an error with what has become of it.
func requireSame(t *testing.T, want, got error, msg string) {
	t.Helper()
	require.Equal(t, want == nil, got == nil, msg)
	if want == nil {
		return
	}
	require.Equal(t, want.Error(), got.Error(), msg)
	for name, s := range sentinels() {
		require.Equal(t, errors.Is(want, s), errors.Is(got, s), "%s: errors.Is %s", msg, name)
	}
	sameAs[sync.SyncErr](t, want, got, msg)
	sameAs[sync.SyncAPIErr](t, want, got, msg)
	sameAs[sync.SyncInternalErr](t, want, got, msg)
	sameAs[*sync.LockedError](t, want, got, msg)
	sameAs[*sync.StaleError](t, want, got, msg)
	sameAs[*sync.PruneLimitError](t, want, got, msg)
	sameAs[*sync.BlockedError](t, want, got, msg)
	sameAs[*sync.ThrottledError](t, want, got, msg)
	sameAs[*sync.UncertainError](t, want, got, msg)
	sameAs[*state.ChecksumError](t, want, got, msg)
	sameAs[*state.DeltaError](t, want, got, msg)
	sameAs[diff.FieldError](t, want, got, msg)
	sameAs[*diff.UnknownError](t, want, got, msg)
	sameAs[*diff.CycleError](t, want, got, msg)
	sameAs[*multierror.Error](t, want, got, msg)
	var wantNetwork, gotNetwork net.Error
	require.Equal(t, errors.As(want, &wantNetwork), errors.As(got, &gotNetwork), msg)
	if wantNetwork != nil {
		require.Equal(t, wantNetwork.Timeout(), gotNetwork.Timeout(), msg)
		require.Equal(t, wantNetwork.Error(), gotNetwork.Error(), msg)
	}
	// Also beside others: what decides it is found in the same order.
	for _, other := range []error{nil, context.Canceled, sync.ErrLocked, sync.SyncErr{}, timeoutError{true}, &verdictError{true}, &verdictError{false}} {
		require.Equal(t, sync.Retryable(errors.Join(want, other)), sync.Retryable(errors.Join(got, other)), "%s: retryable beside %v", msg, other)
		require.Equal(t, sync.Retryable(errors.Join(other, want)), sync.Retryable(errors.Join(other, got)), "%s: retryable beside %v", msg, other)
	}
	_, wantList := want.(interface{ Unwrap() []error })
	_, gotList := got.(interface{ Unwrap() []error })
	require.Equal(t, wantList, gotList, "%s: a list", msg)
	wantCauses, gotCauses := causesOf(want), causesOf(got)
	require.Len(t, gotCauses, len(wantCauses), msg)
	for i, cause := range wantCauses {
		requireSame(t, cause, gotCauses[i], msg)
	}
}

// sameAs compares what errors.As finds, causes aside: requireSame gets to those.
func sameAs[E error](t *testing.T, want, got error, msg string) {
	t.Helper()
	var wantE, gotE E
	require.Equal(t, errors.As(want, &wantE), errors.As(got, &gotE), "%s: errors.As %T", msg, wantE)
	diff := cmp.Diff(wantE, gotE,
		cmp.FilterPath(func(p cmp.Path) bool { return p.Last().Type() == errorType() }, cmp.Comparer(sameText)),
		cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".ErrorFormat" }, cmp.Ignore()),
		cmp.FilterValues(func(a, b []error) bool { return len(a)+len(b) == 0 }, cmp.Ignore()),
		cmp.Comparer(func(a, b state.Checksum) bool { return a == b }))
	require.Empty(t, diff, msg)
}

func sameText(a, b error) bool {
	return (a == nil) == (b == nil) && (a == nil || a.Error() == b.Error())
}

// overHTTP returns what a client makes of an error of the server's.
func overHTTP(t testing.TB, err error) error {
	t.Helper()
	w := httptest.NewRecorder()
	ProblemOf(err).ServeHTTP(w, nil)
	return read(t, w.Body.String()).Err()
}

func read(t testing.TB, body string) *Problem {
	t.Helper()
	var p Problem
	require.NoError(t, json.Unmarshal([]byte(body), &p), "%.1000s", body)
	return &p
}

func marshal(t testing.TB, p *Problem) string {
	t.Helper()
	body, err := json.Marshal(p)
	require.NoError(t, err)
	return string(body)
}

// measure returns how many problems there are, how deep they go, and how much text
// they have.
func measure(p *Problem) (n, depth, text int) {
	n, text = 1, len(p.Detail)
	for _, cause := range p.Causes {
		if cause != nil {
			m, d, size := measure(cause)
			n, depth, text = n+m, max(depth, d+1), text+size
		}
	}
	return n, depth, text
}

// errorsOf lists the exported error types and values of a package.
func errorsOf(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("../../..", dir, "*.go"))
	require.NoError(t, err)
	var names []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			var name *ast.Ident
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Name.Name == "Error" && n.Recv != nil {
					receiver := n.Recv.List[0].Type
					if star, ok := receiver.(*ast.StarExpr); ok {
						receiver = star.X
					}
					name, _ = receiver.(*ast.Ident)
				}
			case *ast.ValueSpec:
				if strings.HasPrefix(n.Names[0].Name, "Err") && len(n.Values) > 0 {
					name = n.Names[0]
				}
			}
			if name != nil && name.IsExported() {
				names = append(names, dir+"."+name.Name)
			}
			return true
		})
	}
	require.NotEmpty(t, names)
	return names
}
