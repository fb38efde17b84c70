package dbsyncer

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Grant lets a database role work on all scopes of an org, and on no other's: what
// is another org's it neither sees, changes nor locks, whatever SQL it sends. The
// role must exist; who grants must own the tables. Granting twice is fine, and a
// role may be granted several orgs. schema is as in Options.
//
// It holds for whoever is logged in as the role, or has set it (set role, set local
// role; SQL that may say "reset role" is then that of the one who logged in). It
// doesn't hold for roles that are members of it. The owner of the tables is not
// restricted.
func Grant(ctx context.Context, db DB, schema, role, org string) error {
	_, schema, err := schemaOf(schema)
	if err != nil {
		return err
	}
	names := strings.NewReplacer("$schema", schema, "$role", pgx.Identifier{role}.Sanitize())
	return explained("grant "+org+" to "+role, schema, pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		if err := lock(ctx, tx, schema); err != nil { // who grants at the same time fails otherwise
			return err
		}
		for _, statement := range []string{
			`grant usage on schema $schema to $role`,
			`grant select on $schema.migrations, $schema.pending, $schema.scopes, $schema.leases, $schema.commits, $schema.declared, $schema.records, $schema.runs to $role`,
			// Who may update or delete all of a table may lock it. Ids are not for tenants
			// to take.
			`grant insert (org, app, digest_key), update (digest_key) on $schema.scopes to $role`,
			`grant insert on $schema.leases, $schema.commits, $schema.declared, $schema.records, $schema.runs to $role`,
			`grant update (token, owner, since, expires) on $schema.leases to $role`,
			`grant update (until_serial) on $schema.records to $role`,
			`grant update (ended, first_serial, last_serial, result, error) on $schema.runs to $role`,
		} {
			if _, err := tx.Exec(ctx, names.Replace(statement)); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `insert into `+schema+`.tenants (role, org) values (quote_ident($1)::regrole, $2) on conflict do nothing`, role, org)
		return err
	}))
}

// Revoke takes an org from a role.
func Revoke(ctx context.Context, db DB, schema, role, org string) error {
	_, schema, err := schemaOf(schema)
	if err != nil {
		return err
	}
	_, err = db.Exec(ctx, `delete from `+schema+`.tenants where role = to_regrole(quote_ident($1)) and org = $2`, role, org)
	return explained("revoke "+org+" from "+role, schema, err)
}
