package sync_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync"
)

func TestSecretDoesNotPrint(t *testing.T) {
	t.Parallel()
	secret := sync.Secret("hunter2")
	holder := struct {
		Token   sync.Secret
		Pointer *sync.Secret
		List    []sync.Secret
		Any     any
	}{secret, &secret, []sync.Secret{secret}, secret}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%10s", "%T%[1]v", "%!"} {
		for _, value := range []any{secret, holder} {
			require.NotContains(t, fmt.Sprintf(verb, value), "hunter2", verb)
			require.NotContains(t, fmt.Sprintf(verb, value), "68756e74657232", verb)
		}
	}
	require.Equal(t, "(sensitive)", fmt.Sprint(secret))
	require.Equal(t, "(sensitive)", secret.String())
	require.Equal(t, "(sensitive)", secret.GoString())
	require.Equal(t, "hunter2", secret.Reveal())
}

func TestSecretDoesNotLog(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("login", "token", sync.Secret("hunter2"), "in", map[string]any{"x": sync.Secret("hunter2")})
	}
	require.NotContains(t, out.String(), "hunter2")
	require.Contains(t, out.String(), "(sensitive)")
	require.Equal(t, "(sensitive)", slog.AnyValue(sync.Secret("hunter2")).Resolve().Any(), "whatever the handler")
}

func TestSecretIsDecodedAndNeverEncoded(t *testing.T) {
	t.Parallel()
	var config struct {
		Token sync.Secret `json:"token"`
	}
	require.NoError(t, json.Unmarshal([]byte(`{"token":"hunter2"}`), &config))
	require.Equal(t, "hunter2", config.Token.Reveal())
	b, err := json.Marshal(config)
	require.NoError(t, err)
	require.Equal(t, `{"token":"(sensitive)"}`, string(b))
}
