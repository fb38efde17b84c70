package dbsyncer

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

//go:embed migrations/*.sql
var migrations embed.FS

// step is one migration.
type step struct {
	version   int
	name, sql string
}

// steps returns the migrations in order: files "0001_name.sql", numbered from 1.
func steps() []step {
	files, err := migrations.ReadDir("migrations")
	if err != nil {
		panic(err) // they are part of the program
	}
	all := make([]step, len(files))
	for i, file := range files {
		number, name, _ := strings.Cut(strings.TrimSuffix(file.Name(), ".sql"), "_")
		version, err := strconv.Atoi(number)
		text, rerr := migrations.ReadFile("migrations/" + file.Name())
		if err != nil || rerr != nil || version != i+1 {
			panic("dbsyncer: a migration is out of order: " + file.Name())
		}
		all[i] = step{version, name, string(text)}
	}
	return all
}

// Version is the version of the schema that this package reads and writes.
func Version() int { return len(steps()) }

// Migrate brings a schema up to date, and makes it if it isn't there. It is safe
// when many call it at once, and does nothing where nothing is to be done, which
// takes no more than the right to read. schema is as in Options. A schema that is
// newer than this package is a *SchemaError, and a server before Postgres 15 an
// error; nothing is changed then.
func Migrate(ctx context.Context, db DB, schema string) error {
	name, quoted, err := schemaOf(schema)
	if err != nil {
		return err
	}
	err = migrateIn(ctx, db, name, quoted)
	return explained("migrate the schema "+quoted, quoted, err)
}

func migrateIn(ctx context.Context, db DB, name, quoted string) error {
	if _, version, err := versionOf(ctx, db, name, quoted); err != nil || version >= Version() {
		return errors.Join(err, newer(quoted, version))
	}
	return pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		if !isInside(db) { // what others have migrated meanwhile must be seen, whatever the host's default
			if _, err := tx.Exec(ctx, `set transaction isolation level read committed`); err != nil {
				return err
			}
		}
		return migrate(ctx, tx, name, quoted)
	})
}

func migrate(ctx context.Context, tx pgx.Tx, name, quoted string) error {
	if err := lock(ctx, tx, quoted); err != nil {
		return err
	}
	there, version, err := versionOf(ctx, tx, name, quoted)
	if err != nil {
		return err
	}
	if err := newer(quoted, version); err != nil {
		return err
	}
	var number int
	if err := tx.QueryRow(ctx, `select current_setting('server_version_num')::integer`).Scan(&number); err != nil {
		return err
	}
	if err := checkServer(number); err != nil {
		return err
	}
	if !there { // to make it takes a right that its owner need not have
		if _, err := tx.Exec(ctx, `create schema `+quoted); err != nil {
			return err
		}
	}
	if version == 0 {
		if _, err := tx.Exec(ctx, `create table if not exists `+quoted+`.migrations (version integer primary key, name text not null, applied timestamptz not null default clock_timestamp())`); err != nil {
			return err
		}
	}
	for _, s := range steps()[version:] {
		// Several statements at once are possible in the simple protocol only.
		if _, err := tx.Exec(ctx, strings.ReplaceAll(s.sql, "$schema", quoted), pgx.QueryExecModeSimpleProtocol); err != nil {
			return explained(fmt.Sprintf("migration %d, %s, of the schema %s", s.version, s.name, quoted), "", err)
		}
		if _, err := tx.Exec(ctx, `insert into `+quoted+`.migrations (version, name) values ($1, $2)`, s.version, s.name); err != nil {
			return err
		}
	}
	return nil
}

// lock locks a schema until the transaction ends, for those who change what it is made
// of.
func lock(ctx context.Context, tx pgx.Tx, quoted string) error {
	key := fnv.New64a()
	_, _ = key.Write([]byte("trueup migrations of " + quoted)) // never an error
	_, err := tx.Exec(ctx, `select pg_advisory_xact_lock($1)`, int64(key.Sum64()))
	return err
}

// checkServer returns an error if a server is too old for the tables: its view obeys
// row-level security as of Postgres 15. The number is the server's
// server_version_num, as 150018.
func checkServer(number int) error {
	const oldest = 15
	major := strconv.Itoa(number / 10000)
	switch {
	case number >= oldest*10000:
		return nil
	case number < 100000: // 9.6 was 906xx
		major += "." + strconv.Itoa(number/100%100)
	}
	return fmt.Errorf("dbsyncer needs Postgres %d or later, and the server is Postgres %s: upgrade the server", oldest, major)
}

// versionOf tells whether a schema is there, and returns its version. It asks the
// tables of the catalog: to_regclass may answer from a cache what was so before the
// lock.
func versionOf(ctx context.Context, db DB, name, quoted string) (there bool, version int, err error) {
	var migrated bool
	err = db.QueryRow(ctx, `
		select exists (select from pg_catalog.pg_namespace where nspname = $1),
			exists (select from pg_catalog.pg_tables where schemaname = $1 and tablename = 'migrations')`, name).Scan(&there, &migrated)
	if err == nil && migrated {
		err = db.QueryRow(ctx, `select coalesce(max(version), 0) from `+quoted+`.migrations`).Scan(&version)
	}
	return there, version, err
}

// newer returns an error if a schema is newer than this package.
func newer(schema string, version int) error {
	if version > Version() {
		return &SchemaError{Schema: schema, Version: version, Want: Version()}
	}
	return nil
}

// checkVersion returns an error if a schema is not the one that this package reads
// and writes.
func checkVersion(schema string, version int) error {
	if version != Version() {
		return &SchemaError{Schema: schema, Version: version, Want: Version()}
	}
	return nil
}
