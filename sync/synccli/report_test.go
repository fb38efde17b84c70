package synccli

import (
	"errors"
	"fmt"
	"testing"

	"github.com/hashicorp/go-multierror"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync"
)

func TestEveryErrorIsALine(t *testing.T) {
	t.Parallel()
	one, two := errors.New("one"), errors.New("two")
	tests := []struct {
		name string
		err  error
		want []string
	}{
		{"one", one, []string{"one"}},
		{"a multierror", multierror.Append(nil, one, two), []string{"one", "two"}},
		{"joined", errors.Join(one, two), []string{"one", "two"}},
		{"lists in lists", errors.Join(one, multierror.Append(nil, two, errors.Join(one, two))), []string{"one", "two", "one", "two"}},
		{"a sentence with two errors", fmt.Errorf("%w since %w", one, two), []string{"one since two"}},
		{"a wrapped list", fmt.Errorf("load: %w", errors.Join(one, two)), []string{"load: one\ntwo"}},
		{"a mistake", sync.SyncErr{Resource: "a.toml:1:2: server/a", Description: "is odd"}, []string{"a.toml:1:2: server/a: is odd"}},
		{"mistakes", sync.SyncErr{Resource: "server/a", Description: "2 errors", Err: multierror.Append(nil, one, two)}, []string{"server/a: one", "server/a: two"}},
		{"a backend's", sync.SyncAPIErr{Resource: "server/a", Err: one}, []string{"server/a: one"}},
		{"ours", sync.SyncInternalErr{Description: "read", Err: one}, []string{"read: one"}},
		{"what can't be had", sync.SyncInternalErr{Description: "no history is kept", Err: errors.ErrUnsupported}, []string{"no history is kept"}},
		{"a stale plan", multierror.Append(nil, &sync.StaleError{Moved: []string{"server/a was changed", "server/b: create is due now"}}),
			[]string{"the plan is stale, and nothing was touched:\n  server/a was changed\n  server/b: create is due now"}},
		{"ours without a cause", sync.SyncInternalErr{Description: "read"}, []string{"read"}},
		{"what couldn't be loaded", &mistakes{multierror.Append(nil, one, two)}, []string{"one", "two"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, texts(test.err))
		})
	}
}

func TestPlaced(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]bool{
		"a.toml:1:2: odd":              true,
		"my app/a.toml:1:2: odd: very": true,
		"C:\\app\\a.toml:10:20: odd":   true,
		"a.toml:1: odd":                false,
		"a.toml: odd":                  false,
		"server/a: is at 1:2: odd":     false,
		"odd":                          false,
		"":                             false,
	} {
		require.Equal(t, want, placed(line), line)
	}
}
