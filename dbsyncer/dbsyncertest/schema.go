package dbsyncertest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Schema makes a schema with a random name on the server at url, and returns the
// name. At the end of the test the schema is dropped, with all that is in it. The
// name needs no quotes.
//
// Close what is connected before the test ends (Pool does): the schema can't be
// dropped while a transaction uses it, and the test fails then. A server that is
// down by then keeps its schemas.
func Schema(t testing.TB, url string) string {
	t.Helper()
	name := "trueup_test_" + random()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatalf("dbsyncertest: to make a schema: %v", err)
	}
	_, err = conn.Exec(t.Context(), "create schema "+name)
	_ = conn.Close(t.Context()) // the statement's outcome is known
	if err != nil {
		t.Fatalf("dbsyncertest: to make a schema: %v", err)
	}
	t.Cleanup(func() {
		// The context of the test is done by now.
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			t.Logf("dbsyncertest: schema %s is not dropped: %v", name, err)
			return
		}
		if _, err := conn.Exec(ctx, "drop schema if exists "+name+" cascade"); err != nil {
			t.Errorf("dbsyncertest: to drop schema %s: %v", name, err)
		}
		_ = conn.Close(ctx) // as above
	})
	return name
}

// random returns 16 hex digits.
func random() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // it never fails
	return hex.EncodeToString(b)
}
