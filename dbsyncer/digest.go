package dbsyncer

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

// DigestKey returns the key that is kept, nil if there is none yet.
func (b *Backend) DigestKey(ctx context.Context) (key []byte, err error) {
	err = b.db.QueryRow(ctx, b.sql(`select digest_key from $schema.scopes where org = $1 and app = $2`), b.scope.Org, b.scope.App).Scan(&key)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return key, b.failed("read the digest key", err)
}

// KeepDigestKey keeps a key, unless there is one.
func (b *Backend) KeepDigestKey(ctx context.Context, key []byte) (kept []byte, err error) {
	if len(key) == 0 {
		return nil, errors.New("the digest key is empty")
	}
	err = b.db.QueryRow(ctx, b.sql(`
		insert into $schema.scopes as s (org, app, digest_key) values ($1, $2, $3)
		on conflict (org, app) do update set digest_key = coalesce(s.digest_key, excluded.digest_key)
		returning digest_key`), b.scope.Org, b.scope.App, key).Scan(&kept)
	return kept, b.failed("keep the digest key", err)
}
