-- What is recorded of a scope. $schema stands for the schema's name, quoted.

create table $schema.scopes (
	id         bigint generated always as identity primary key,
	org        text not null check (org <> ''),
	app        text not null check (app <> ''),
	digest_key bytea check (length(digest_key) > 0),
	unique (org, app)
);

-- The right to write: one at a time, which lapses unless it is renewed. A token
-- that was taken over is never given out again.
create table $schema.leases (
	scope_id bigint primary key references $schema.scopes on delete cascade,
	token    bigint not null check (token > 0),
	owner    text not null,
	since    timestamptz not null,
	expires  timestamptz not null
);

-- One row per commit: the head of the State after it. delta is the checksum of
-- what was committed, by which a commit that is given twice is known. oldest is the
-- first serial whose State is to be kept from then on.
create table $schema.commits (
	scope_id   bigint not null references $schema.scopes on delete cascade,
	serial     bigint not null check (serial > 0),
	token      bigint not null,
	oldest     bigint not null check (oldest between 1 and serial),
	delta      bytea not null check (length(delta) = 32),
	head       json not null,
	records    integer not null check (records >= 0),
	orphans    integer not null check (orphans between 0 and records),
	unfinished integer not null check (unfinished between 0 and records),
	committed  timestamptz not null default clock_timestamp(),
	primary key (scope_id, serial),
	check ((head ->> 'serial')::bigint = serial)
);

-- Each version of a declaration once, as its canonical JSON, whose checksum it is
-- found by.
create table $schema.declared (
	scope_id bigint not null references $schema.scopes on delete cascade,
	checksum bytea not null check (length(checksum) = 32),
	kind     text collate "C" not null,
	name     text collate "C" not null,
	resource json not null,
	primary key (scope_id, checksum, kind, name)
);

-- Each version of a record once, with the serials in which it held: from the
-- first to before the second, which is null as long as it holds.
create table $schema.records (
	scope_id     bigint not null,
	kind         text collate "C" not null check (kind <> ''),
	name         text collate "C" not null check (name <> ''),
	from_serial  bigint not null check (from_serial > 0),
	until_serial bigint check (until_serial > from_serial),
	checksum     bytea,
	-- What the record adds to the State's roots. An orphan is not declared.
	part         bytea not null check (length(part) = 32),
	declared     bytea check (length(declared) = 32),
	unfinished   boolean not null,
	record       json not null,
	primary key (scope_id, kind, name, from_serial),
	foreign key (scope_id) references $schema.scopes on delete cascade,
	-- With kind and name, so that the primary key finds what refers to a declaration.
	foreign key (scope_id, checksum, kind, name) references $schema.declared
);

create unique index records_now on $schema.records (scope_id, kind, name) where until_serial is null;

-- What is over, to be found when it is no longer kept.
create index records_past on $schema.records (scope_id, until_serial) where until_serial is not null;

-- Who has held the lease, and what came of it. A run without an end whose lease has
-- lapsed was interrupted.
create table $schema.runs (
	scope_id     bigint not null references $schema.scopes on delete cascade,
	token        bigint not null,
	owner        text not null,
	began        timestamptz not null,
	ended        timestamptz check (ended >= began),
	first_serial bigint,
	last_serial  bigint check (last_serial >= first_serial),
	result       text not null default 'running' check (result in ('running', 'done', 'failed', 'interrupted')),
	error        text,
	primary key (scope_id, token),
	check ((result = 'running') = (ended is null))
);

create unique index runs_now on $schema.runs (scope_id) where result = 'running';

-- Removes what no State needs that is kept: of the scope $1, from serial $2 on. What
-- a record intends is looked for in its text: a JSON text may hold what the server
-- can't decode (\u0000).
create function $schema.forget(bigint, bigint) returns void language sql begin atomic
	delete from $schema.commits where scope_id = $1 and serial < $2;
	delete from $schema.runs where scope_id = $1 and token < (
		select token from $schema.commits where scope_id = $1 order by serial limit 1
	);
	delete from $schema.records where scope_id = $1 and until_serial <= $2;
	delete from $schema.declared d where d.scope_id = $1 and not exists (
		select from $schema.records r
		where r.scope_id = $1 and r.checksum = d.checksum and r.kind = d.kind and r.name = d.name
	) and not exists (
		select from $schema.records r
		where r.scope_id = $1 and r.unfinished and strpos(r.record::text, 'sha256:' || encode(d.checksum, 'hex')) > 0
	);
end;

-- A trigger does so now and then, since to look for declarations that nobody names
-- costs as much as there are; with the rights of the tables' owner, since whoever
-- may delete from a table may lock all of it. (Who might call the function could
-- have it run anything, from a table of his own.)
create function $schema.forget() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as
	'begin execute format(''select %I.forget($1, $2)'', tg_table_schema) using new.scope_id, new.oldest; return null; end';

revoke execute on function $schema.forget(), $schema.forget(bigint, bigint) from public;

create trigger forget after insert on $schema.commits
	for each row when (new.serial % 64 = 0 and new.oldest > 1) execute function $schema.forget();

-- Intended acts that have not finished.
create view $schema.pending with (security_invoker = true) as
	select s.org, s.app, r.kind, r.name, p ->> 'op' as op, (p ->> 'serial')::bigint as serial,
		coalesce((p ->> 'attempts')::integer, 0) as attempts, p ->> 'error' as error
	from $schema.records r
	join $schema.scopes s on s.id = r.scope_id
	cross join lateral json_array_elements(case when strpos(r.record::text, '\u0000') = 0 then r.record -> 'pending' end) p
	where r.until_serial is null and r.unfinished;

-- Which orgs a database role may see, if it isn't the tables' owner. (Not by its name:
-- another role may have that later.)
create table $schema.tenants (
	role regrole not null,
	org  text not null,
	primary key (role, org)
);

create function $schema.my_orgs() returns text[] language sql stable security definer begin atomic
	select coalesce(array_agg(org), '{}') from $schema.tenants
	where role = to_regrole(quote_ident(coalesce(nullif(current_setting('role'), 'none'), session_user)));
end;

alter table $schema.scopes enable row level security;
alter table $schema.leases enable row level security;
alter table $schema.commits enable row level security;
alter table $schema.declared enable row level security;
alter table $schema.records enable row level security;
alter table $schema.runs enable row level security;
alter table $schema.tenants enable row level security;

create policy own_org on $schema.scopes using (org = any ((select $schema.my_orgs())::text[]));

-- A scope that one sees is found by its id, for each row. (For "exists", and for a
-- list of ids, the server may read all scopes first, to find one row of one of them.)
create policy own_org on $schema.leases using ((select true from $schema.scopes s where s.id = scope_id));
create policy own_org on $schema.commits using ((select true from $schema.scopes s where s.id = scope_id));
create policy own_org on $schema.declared using ((select true from $schema.scopes s where s.id = scope_id));
create policy own_org on $schema.records using ((select true from $schema.scopes s where s.id = scope_id));
create policy own_org on $schema.runs using ((select true from $schema.scopes s where s.id = scope_id));
