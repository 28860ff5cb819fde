-- Every row belongs to an owner: the subject of a token, or '' when authentication is off.
create table lists (
    id bigint generated always as identity primary key,
    owner text not null,
    name text not null,
    created_at timestamptz not null default now()
);

create index lists_by_owner on lists (owner, id);

create table todos (
    id bigint generated always as identity primary key,
    owner text not null,
    -- null is the default list; a foreign key to one row for all of them would make that row a lock that every insert takes.
    list_id bigint references lists on delete cascade,
    title text not null,
    completed boolean not null default false,
    -- `order` in the API, which is a reserved word in SQL.
    position bigint,
    due_date date,
    tags jsonb not null default '[]',
    priority smallint,
    -- The number in the ETag; grows with every change.
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

-- coalesce, so that one prepared statement serves the default list and all others.
create index todos_by_collection on todos (owner, coalesce(list_id, 0), id);
-- The cascade from lists reads by list_id alone.
create index todos_by_list on todos (list_id) where list_id is not null;

-- The answers of POSTs that carried an Idempotency-Key, kept so that a repetition gets the same one from any replica.
create table idempotency_keys (
    owner text not null,
    key text not null,
    -- Hash of the method, path and body that the key was first used with.
    fingerprint bytea not null,
    todo_id bigint not null,
    todo_created_at timestamptz not null,
    expires_at timestamptz not null,
    primary key (owner, key)
);

create index idempotency_keys_by_expiry on idempotency_keys (expires_at);
