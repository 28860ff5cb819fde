-- The same tables as in Postgres; times are ISO 8601 text in UTC with milliseconds, tags are JSON text.
create table lists (
    id integer primary key autoincrement,
    owner text not null,
    name text not null,
    created_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) strict;

create index lists_by_owner on lists (owner, id);

create table todos (
    id integer primary key autoincrement,
    owner text not null,
    list_id integer references lists on delete cascade,
    title text not null,
    completed integer not null default 0 check (completed in (0, 1)),
    position integer,
    due_date text,
    tags text not null default '[]',
    priority integer,
    version integer not null default 1,
    created_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) strict;

create index todos_by_collection on todos (owner, coalesce(list_id, 0), id);
create index todos_by_list on todos (list_id) where list_id is not null;

create table idempotency_keys (
    owner text not null,
    key text not null,
    fingerprint blob not null,
    todo_id integer not null,
    todo_created_at text not null,
    expires_at text not null,
    primary key (owner, key)
) strict, without rowid;

create index idempotency_keys_by_expiry on idempotency_keys (expires_at);
