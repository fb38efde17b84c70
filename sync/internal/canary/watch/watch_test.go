package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync/internal/canary"
)

// fakeVariable makes this binary what go test would be: it names what it does.
const fakeVariable = "TRUEUP_WATCH_TEST"

func TestMain(m *testing.M) {
	if does := os.Getenv(fakeVariable); does != "" {
		os.Exit(fakeGoTest(does))
	}
	os.Exit(m.Run())
}

// fakeGoTest does what go test -json does, and shows the canary somewhere.
func fakeGoTest(does string) int {
	secret := canary.Value()
	say := func(action, test, output string) {
		fmt.Printf("{\"Action\":%q,\"Package\":\"p\",\"Test\":%q,\"Output\":%q}\n", action, test, output)
	}
	leave := func(dir, text string) {
		if err := os.WriteFile(filepath.Join(dir, "state"), []byte(text), 0o600); err != nil {
			panic(err)
		}
	}
	say("output", "TestA", "=== RUN   TestA\n")
	say("output", "TestA", "a line of TestA\n")
	switch does {
	case "print":
		say("output", "TestA", "the token is "+secret+"\n")
	case "complain":
		fmt.Fprintln(os.Stderr, "the token is", secret)
	case "forget":
		leave(os.TempDir(), secret)
	case "keep":
		leave(os.Getenv(canary.KeptEnv), "in base64 "+base64.StdEncoding.EncodeToString([]byte("x"+secret)))
	case "gold":
		leave(os.Getenv("TRUEUP_WATCH_ROOT"), secret)
	case "fail":
		say("fail", "TestA", "")
		say("output", "", "FAIL\n")
		say("output", "", "FAIL\tp\t0.1s\n")
		say("fail", "", "")
		return 1
	}
	say("pass", "TestA", "")
	say("output", "", "PASS\n")
	say("output", "", "ok  \tp\t0.1s\n")
	say("pass", "", "")
	return 0
}

func TestWatch(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	for does, want := range map[string]string{
		"nothing":  "",
		"print":    "what the tests print: canary 0 as it is",
		"complain": "what go prints: canary 0 as it is",
		"forget":   "state: canary 0 as it is",
		"keep":     "state: canary 0 in base64",
		"gold":     "state: canary 0 as it is",
		"fail":     "exit status 1",
	} {
		t.Run(does, func(t *testing.T) {
			root := t.TempDir()
			t.Setenv(fakeVariable, does)
			t.Setenv("TRUEUP_WATCH_ROOT", root)
			var out, errs bytes.Buffer
			w := watch{root: root, out: &out, errs: &errs}
			err := w.run(t.Context(), []string{self, "test", "./..."})
			if want == "" {
				require.NoError(t, err)
				require.Equal(t, "ok  \tp\t0.1s\n", out.String(), "what passed is told of in a line")
				return
			}
			require.ErrorContains(t, err, want)
			if does == "fail" {
				require.Equal(t, "a line of TestA\nFAIL\tp\t0.1s\nFAIL\n", out.String())
			}
		})
	}
}

func TestWatchShowsAllIfAsked(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	t.Setenv(fakeVariable, "nothing")
	var out bytes.Buffer
	w := watch{root: t.TempDir(), out: &out, errs: &out}
	require.NoError(t, w.run(t.Context(), []string{self, "test", "-v", "./..."}))
	require.Equal(t, "=== RUN   TestA\na line of TestA\nPASS\nok  \tp\t0.1s\n", out.String())
}

func TestWatchRunsTestsAlone(t *testing.T) {
	t.Parallel()
	for _, command := range [][]string{nil, {"go"}, {"go", "vet", "./..."}} {
		w := watch{root: t.TempDir()}
		require.ErrorContains(t, w.run(t.Context(), command), "usage")
	}
}
