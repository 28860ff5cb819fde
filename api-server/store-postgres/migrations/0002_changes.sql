-- What happened to todos and lists, in the order of their streams (GET /todos/events). Statements write it by triggers, so that those
-- of the version before this one are in it too. Unlogged, so that a write costs no more of the write-ahead log than before: after a
-- crash both tables are empty, which streams recognize.
create unlogged table changes (
    -- The order of changes is (horizon, seq). `horizon` is the first transaction id that was greater than that of the change and of all
    -- transactions that had ended before it. When all transactions below it have ended, no further row can come before this one.
    horizon bigint not null,
    seq bigint generated always as identity,
    owner text not null,
    kind text not null,
    id bigint not null,
    -- Of a todo.
    list_id bigint,
    -- The row as it became; null when it was deleted. A later version may add columns to it.
    content json,
    created_at timestamptz not null default now(),
    primary key (horizon, seq)
);

-- At most one row. Without it, or with that of another database, which a restored dump has, no earlier position is known.
create unlogged table change_log (
    only_row boolean primary key default true check (only_row),
    -- The number in the ids of events.
    generation bigint not null,
    -- The server and the table that the row was made for.
    origin text not null,
    -- The last change that was deleted.
    deleted_horizon bigint not null default 0,
    deleted_seq bigint not null default 0
);

-- The snapshot of the insert is taken while the changed rows are locked. That of the changing statement, which may have waited for the
-- locks, could be older than another change of the same rows.
create function log_todos() returns trigger language plpgsql as $$
begin
    insert into changes (horizon, owner, kind, id, list_id, content)
    select (select greatest(pg_snapshot_xmax(pg_current_snapshot())::text::bigint, pg_current_xact_id()::text::bigint + 1)),
           owner, 'todo', id, list_id, case when tg_op <> 'DELETE' then to_json(changed) end
    from changed order by id;
    return null;
end $$;

create function log_lists() returns trigger language plpgsql as $$
begin
    insert into changes (horizon, owner, kind, id, content)
    select (select greatest(pg_snapshot_xmax(pg_current_snapshot())::text::bigint, pg_current_xact_id()::text::bigint + 1)),
           owner, 'list', id, case when tg_op <> 'DELETE' then to_json(changed) end
    from changed order by id;
    return null;
end $$;

create trigger log_inserted after insert on todos referencing new table as changed for each statement execute function log_todos();
create trigger log_updated after update on todos referencing new table as changed for each statement execute function log_todos();
create trigger log_deleted after delete on todos referencing old table as changed for each statement execute function log_todos();
create trigger log_inserted after insert on lists referencing new table as changed for each statement execute function log_lists();
create trigger log_updated after update on lists referencing new table as changed for each statement execute function log_lists();
create trigger log_deleted after delete on lists referencing old table as changed for each statement execute function log_lists();
