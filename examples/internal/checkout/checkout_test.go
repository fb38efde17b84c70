package checkout_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/internal/checkout"
)

// A repository is one to commit to, with a directory to check it out into.
type repository struct {
	*testing.T
	origin, dir string
}

func newRepository(t *testing.T) *repository {
	t.Helper()
	r := &repository{t, filepath.Join(t.TempDir(), "origin"), filepath.Join(t.TempDir(), "deep", "checkout")}
	require.NoError(t, os.Mkdir(r.origin, 0o700))
	r.git("init", "--quiet", "--initial-branch", "main")
	return r
}

func (r *repository) git(args ...string) string {
	r.Helper()
	cmd := exec.CommandContext(r.Context(), "git", append([]string{"-C", r.origin, "-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
	out, err := cmd.CombinedOutput()
	require.NoError(r, err, "%s", out)
	return strings.TrimSpace(string(out))
}

// commit commits a file and returns the commit's ID.
func (r *repository) commit(name, text string) string {
	r.Helper()
	require.NoError(r, os.WriteFile(filepath.Join(r.origin, name), []byte(text), 0o600))
	r.git("add", name)
	r.git("commit", "--quiet", "--message", text)
	return r.git("rev-parse", "HEAD")
}

func (r *repository) checkout(edit ...func(*checkout.Spec)) (*checkout.Result, error) {
	r.Helper()
	spec := &checkout.Spec{URL: r.origin}
	for _, e := range edit {
		e(spec)
	}
	return checkout.Checkout(r.Context(), r.dir, spec)
}

// holds tells what a file of the checkout holds.
func (r *repository) holds(name string) string {
	r.Helper()
	text, err := os.ReadFile(filepath.Join(r.dir, name))
	require.NoError(r, err)
	return string(text)
}

func (r *repository) write(name, text string) {
	r.Helper()
	require.NoError(r, os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600))
}

func branch(name string) func(*checkout.Spec) {
	return func(s *checkout.Spec) { s.Branch = name }
}

func commit(id string) func(*checkout.Spec) {
	return func(s *checkout.Spec) { s.Commit = id }
}

func TestCheckout(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	one := r.commit("a", "one")
	result, err := r.checkout()
	require.NoError(t, err)
	require.Equal(t, &checkout.Result{Commit: one, Cloned: true}, result)
	require.Equal(t, "one", r.holds("a"))

	r.write("a", "edited")
	r.write(".env", "kept")
	result, err = r.checkout()
	require.NoError(t, err)
	require.Equal(t, &checkout.Result{Commit: one}, result)
	require.Equal(t, "one", r.holds("a"))

	r.git("checkout", "--quiet", "-b", "next")
	two := r.commit("a", "two")
	r.git("checkout", "--quiet", "main")
	for name, c := range map[string]struct {
		edit func(*checkout.Spec)
		want string
	}{
		"a branch":        {branch("next"), two},
		"the first again": {branch("main"), one},
		"a commit":        {commit(two), two},
		"its beginning":   {commit(one[:7]), one},
	} {
		result, err = r.checkout(c.edit)
		require.NoError(t, err, name)
		require.Equal(t, c.want, result.Commit, name)
	}
	r.git("branch", "--quiet", "--force", "next", "main")
	result, err = r.checkout(branch("next"))
	require.NoError(t, err, "its history was rewritten")
	require.Equal(t, one, result.Commit)
	require.Equal(t, "kept", r.holds(".env"), "git doesn't know it")
}

func TestCheckout_Mistakes(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	_, err := r.checkout()
	require.ErrorContains(t, err, "the repository names no branch: give one")
	r.commit("a", "one")
	for want, edit := range map[string]func(*checkout.Spec){
		`there is no branch "none"`:                      branch("none"),
		"there is no commit 0123456 on any branch":       commit("0123456"),
		`commit "--all": expected at least seven`:        commit("--all"),
		`commit "abc": expected at least seven`:          commit("abc"),
		"git clone: exit status 128: ":                   func(s *checkout.Spec) { s.URL = filepath.Join(r.origin, "none") },
		"on clone: exit status 3: no\nreally":            func(s *checkout.Spec) { s.OnClone = &checkout.Command{Script: "echo no; echo really >&2; exit 3"} },
		`directory "../x": expected a path inside`:       func(s *checkout.Spec) { s.OnClone = &checkout.Command{Dir: "../x", Script: "true"} },
		"check out http://u:xxxxx@127.0.0.1:1/x: git cl": func(s *checkout.Spec) { s.URL = "http://u:hunter2@127.0.0.1:1/x" },
	} {
		_, err := r.checkout(edit)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "hunter2")
	}
}

// A directory that holds something else is nobody's to remove.
func TestCheckout_SomethingElseIsThere(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	r.commit("a", "one")
	require.NoError(t, os.MkdirAll(r.dir, 0o700))
	r.write("precious", "x")
	_, err := r.checkout()
	require.ErrorContains(t, err, "was not checked out by this program")
	require.Equal(t, "x", r.holds("precious"))
}

// Another repository, or a damaged one, is cloned anew.
func TestCheckout_ClonesAnew(t *testing.T) {
	t.Parallel()
	r, other := newRepository(t), newRepository(t)
	r.commit("a", "one")
	_, err := r.checkout()
	require.NoError(t, err)
	two := other.commit("b", "two")
	r.origin = other.origin
	result, err := r.checkout()
	require.NoError(t, err)
	require.Equal(t, &checkout.Result{Commit: two, Cloned: true}, result)
	require.NoFileExists(t, filepath.Join(r.dir, "a"))

	require.NoError(t, os.Remove(filepath.Join(r.dir, ".git", "HEAD")))
	require.NoError(t, os.MkdirAll(r.dir+".new/half", 0o700), "a clone that was killed")
	result, err = r.checkout()
	require.NoError(t, err)
	require.True(t, result.Cloned)
	require.Equal(t, "two", r.holds("b"))
	require.NoDirExists(t, r.dir+".new")
}

// What follows runs once, and again if it failed.
func TestCheckout_Commands(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	r.commit("a", "one")
	require.NoError(t, os.Mkdir(filepath.Join(r.origin, "sub"), 0o700))
	r.commit("sub/x", "x")
	log := filepath.Join(t.TempDir(), "log")
	follow := func(clone, pull string) func(*checkout.Spec) {
		return func(s *checkout.Spec) {
			s.OnClone = &checkout.Command{Dir: "sub", Script: "cat x >> " + log + "; echo clone >> " + log + "\n" + clone}
			s.OnPull = &checkout.Command{Script: "cat a >> " + log + "; echo pull >> " + log + "; " + pull}
		}
	}
	for _, c := range []struct {
		name        string
		clone, pull string
		edit        string
		fails       bool
		want        string
	}{
		{name: "a clone fails", clone: "false", fails: true, want: "xclone\n"},
		{name: "again, and a pull fails", pull: "false", fails: true, want: "xclone\nonepull\n"},
		{name: "that again", want: "onepull\n"},
		{name: "nothing new"},
		{name: "a new commit", edit: "two", pull: "false", fails: true, want: "twopull\n"},
		{name: "which failed", want: "twopull\n"},
		{name: "nothing new again"},
	} {
		require.NoError(t, os.WriteFile(log, nil, 0o600))
		if c.edit != "" {
			r.commit("a", c.edit)
		}
		_, err := r.checkout(follow(c.clone, c.pull))
		require.Equal(t, c.fails, err != nil, "%s: %v", c.name, err)
		text, err := os.ReadFile(log)
		require.NoError(t, err)
		require.Equal(t, c.want, string(text), c.name)
	}
}

// A password gets to the server, and nowhere else.
func TestCheckout_Password(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	one := r.commit("a", "one")
	path := r.git("--exec-path")
	backend := &cgi.Handler{Path: filepath.Join(path, "git-http-backend"), Env: []string{"GIT_PROJECT_ROOT=" + filepath.Dir(r.origin), "GIT_HTTP_EXPORT_ALL=1"}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if user, password, _ := req.BasicAuth(); user != "bot" || password != "hunter2" {
			w.Header().Set("WWW-Authenticate", "Basic")
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		backend.ServeHTTP(w, req)
	}))
	t.Cleanup(server.Close)
	r.origin = server.URL + "/origin"
	_, err := r.checkout()
	require.ErrorContains(t, err, "git clone")
	login := func(s *checkout.Spec) { s.User, s.Password = "bot", "hunter2" }
	for range 2 { // clone, fetch
		result, err := r.checkout(login)
		require.NoError(t, err)
		require.Equal(t, one, result.Commit)
	}
	config := r.holds(".git/config")
	require.NotContains(t, config, "hunter2")
	require.NotContains(t, config, "credential")
}

func TestCheckout_Cancelled(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	asked := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		close(asked)
		<-req.Context().Done()
	}))
	t.Cleanup(server.Close)
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	done := make(chan error)
	go func() {
		_, err := checkout.Checkout(ctx, r.dir, &checkout.Spec{URL: server.URL + "/x"})
		done <- err
	}()
	<-asked
	cancel(enough)
	require.ErrorIs(t, <-done, enough)
	require.NoDirExists(t, r.dir)
}
