package serve

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/apisyncer/apiserver"
	"github.com/trueup-go/trueup/state"
)

// tokens are those that the server knows: not themselves, but their hashes.
type tokens []token

type token struct {
	sum    [sha256.Size]byte
	caller *apiserver.Caller
}

// readTokens reads a file of lines
//
//	TOKEN NAME ORG[,ORG…] [ro]
//
// where what follows a # at the beginning of a word is a comment. It returns every
// mistake at once. An error never shows a token, nor what might be one.
func readTokens(path string) (tokens, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var all tokens
	var errs []error
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		words := strings.Fields(line)
		if comment := slices.IndexFunc(words, func(word string) bool { return word[0] == '#' }); comment >= 0 {
			words = words[:comment]
		}
		if len(words) == 0 {
			continue
		}
		own, err := parseToken(words)
		if err == nil && all.find(own.sum) != nil {
			err = errors.New("the same token as in a line above")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s:%d:1: %w", path, number, err))
			continue
		}
		all = append(all, own)
	}
	if len(all) == 0 && errs == nil {
		errs = append(errs, fmt.Errorf("%s: there is no token in it: nobody could do anything", path))
	}
	return all, errors.Join(errs...)
}

func parseToken(words []string) (token, error) {
	if len(words) < 3 || len(words) > 4 || len(words) == 4 && words[3] != "ro" {
		return token{}, errors.New("want TOKEN NAME ORG[,ORG…], and perhaps ro")
	}
	name, orgs, readOnly := words[1], strings.Split(words[2], ","), len(words) == 4
	for _, org := range orgs {
		if err := (state.Scope{Org: org, App: "any"}).Validate(); err != nil {
			return token{}, errors.New("an org's name is empty, or can't be one")
		}
	}
	return token{sha256.Sum256([]byte(words[0])), &apiserver.Caller{Name: name, May: func(org string, write bool) bool {
		return slices.Contains(orgs, org) && !(write && readOnly)
	}}}, nil
}

// find returns whose token has that hash, nil if nobody's has. It looks at all of them,
// and at all of each: how long it takes says nothing of any.
func (t tokens) find(sum [sha256.Size]byte) *apiserver.Caller {
	var found *apiserver.Caller
	for i := range t {
		if subtle.ConstantTimeCompare(t[i].sum[:], sum[:]) == 1 {
			found = t[i].caller
		}
	}
	return found
}

// authenticate is an apiserver.Authenticate.
func (t tokens) authenticate(r *http.Request) (*apiserver.Caller, error) {
	scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return nil, errors.New("there is no token")
	}
	caller := t.find(sha256.Sum256([]byte(given)))
	if caller == nil {
		return nil, errors.New("the token is none that is known")
	}
	return caller, nil
}

// anybody is an apiserver.Authenticate for those on this machine, who may do
// everything. A page that is open in a browser here is not one of them: it comes with
// an Origin, or, if its name was made to lead here, with that name as Host.
func anybody(r *http.Request) (*apiserver.Caller, error) {
	if r.Header.Get("Origin") != "" || !isLoopback(r.Host) {
		return nil, errors.New("a page in a browser, and not a program on this machine")
	}
	return &apiserver.Caller{Name: "anybody", May: func(string, bool) bool { return true }}, nil
}
