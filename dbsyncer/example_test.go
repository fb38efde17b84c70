package dbsyncer_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/trueup-go/trueup/dbsyncer"
	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/appsync"
)

// An app's config is synced to a control plane that has tables of its own: each
// component is a row of components, and each State a row of app_configs. All of it
// is committed together.
func Example() {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	if err := prepare(ctx, pool); err != nil {
		log.Fatal(err)
	}
	backend, err := dbsyncer.New(pool, state.Scope{Org: "acme", App: "shop"}, &dbsyncer.Options{
		Mappers:  map[string]dbsyncer.Mapper{appsync.KindComponent: components{}},
		OnCommit: storeConfig,
	})
	if err != nil {
		log.Fatal(err)
	}
	engine, err := sync.New(backend, appsync.Kinds(), nil)
	if err != nil {
		log.Fatal(err)
	}
	config, err := appsync.Load(os.DirFS("config"), nil)
	if err != nil {
		log.Fatal(err)
	}
	syncer := appsync.New(engine, config)
	if err := syncer.Sync(appsync.SetOrgContext(appsync.SetAccountContext(ctx, "ann"), "acme")); err != nil {
		log.Fatal(err)
	}
	fmt.Println(syncer.GetComponentStateIds())
}

// prepare makes the tables, the library's and the host's own.
func prepare(ctx context.Context, db dbsyncer.DB) error {
	if err := dbsyncer.Migrate(ctx, db, ""); err != nil {
		return err
	}
	_, err := db.Exec(ctx, `
		create table if not exists public.components (
			id text primary key, org text not null, app text not null, name text not null, type text not null, config json not null
		);
		create table if not exists public.app_configs (
			id text primary key, org text not null, app text not null, state json not null, created_at timestamptz not null default now()
		)`)
	return err
}

// components stores components in the table of that name, all of a call at once.
type components struct{}

// Apply implements dbsyncer.Mapper.
func (components) Apply(ctx context.Context, tx pgx.Tx, changes []diff.Change) ([]sync.Outcome, error) {
	outcomes, batch := make([]sync.Outcome, len(changes)), &pgx.Batch{}
	put := func(id string, desired *state.Resource, config json.RawMessage) {
		batch.Queue(`
			insert into public.components (id, org, app, name, type, config) values ($1, 'acme', 'shop', $2, $3, $4::json)
			on conflict (id) do update set name = excluded.name, type = excluded.type, config = excluded.config`,
			id, desired.Name, desired.Type, string(config))
	}
	for i, change := range changes {
		switch c := change.(type) {
		case *diff.Create:
			outcomes[i].ID = c.ID
			put(c.ID, c.Desired, c.Config)
		case *diff.Adopt:
			outcomes[i].ID = c.ID
			put(c.ID, c.Desired, c.Config)
		case *diff.Update:
			put(c.Recorded.ID, c.Desired, c.Config)
		case *diff.Delete:
			batch.Queue(`delete from public.components where id = $1`, c.Recorded.ID)
		}
	}
	return outcomes, tx.SendBatch(ctx, batch).Close()
}

// Observe implements dbsyncer.MapperObserver: an edit of a row is drift.
func (components) Observe(ctx context.Context, db dbsyncer.DB, records []state.Record) []sync.Live {
	lives := make([]sync.Live, len(records))
	ids, at := make([]string, len(records)), map[string]int{}
	for i := range records {
		ids[i], at[records[i].ID] = records[i].ID, i
	}
	rows, err := db.Query(ctx, `select id, config::text from public.components where id = any ($1)`, ids)
	if err == nil {
		var id, config string
		_, err = pgx.ForEachRow(rows, []any{&id, &config}, func() error {
			lives[at[id]] = sync.Live{ID: id, Config: json.RawMessage(config)}
			return nil
		})
	}
	for i := range lives {
		lives[i].Err = err
	}
	return lives
}

// storeConfig stores the State as a row of app_configs, in the form that the control
// plane's other tools read.
func storeConfig(ctx context.Context, tx pgx.Tx, head state.Head) error {
	backend, err := dbsyncer.New(tx, head.Scope, nil)
	if err != nil {
		return err
	}
	var records []state.Record
	for record, err := range backend.Records(ctx) {
		if err != nil {
			return err
		}
		records = append(records, record)
	}
	text, err := json.Marshal(appsync.StateOf(head, records))
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		insert into public.app_configs (id, org, app, state) values ($1, $2, $3, $4::json)
		on conflict (id) do update set state = excluded.state`,
		head.ConfigID, head.Scope.Org, head.Scope.App, string(text))
	return err
}
