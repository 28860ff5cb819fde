-- Of the connection that writes: what a transaction changes, collected in memory until it is committed.
create temp table changes (
    seq integer primary key,
    owner text not null,
    kind text not null,
    id integer not null,
    list_id integer,
    content text
);

create temp trigger log_inserted after insert on main.todos begin
    insert into changes (owner, kind, id, list_id, content)
    values (new.owner, 'todo', new.id, new.list_id, json_object(
        'id', new.id, 'owner', new.owner, 'list_id', new.list_id, 'title', new.title,
        'completed', json(iif(new.completed, 'true', 'false')), 'position', new.position,
        'due_date', new.due_date, 'tags', json(new.tags), 'priority', new.priority,
        'version', new.version, 'created_at', new.created_at, 'updated_at', new.updated_at
    ));
end;

create temp trigger log_updated after update on main.todos begin
    insert into changes (owner, kind, id, list_id, content)
    values (new.owner, 'todo', new.id, new.list_id, json_object(
        'id', new.id, 'owner', new.owner, 'list_id', new.list_id, 'title', new.title,
        'completed', json(iif(new.completed, 'true', 'false')), 'position', new.position,
        'due_date', new.due_date, 'tags', json(new.tags), 'priority', new.priority,
        'version', new.version, 'created_at', new.created_at, 'updated_at', new.updated_at
    ));
end;

create temp trigger log_deleted after delete on main.todos begin
    insert into changes (owner, kind, id, list_id) values (old.owner, 'todo', old.id, old.list_id);
end;

create temp trigger log_list_inserted after insert on main.lists begin
    insert into changes (owner, kind, id, content)
    values (new.owner, 'list', new.id, json_object('id', new.id, 'name', new.name, 'created_at', new.created_at));
end;

create temp trigger log_list_updated after update on main.lists begin
    insert into changes (owner, kind, id, content)
    values (new.owner, 'list', new.id, json_object('id', new.id, 'name', new.name, 'created_at', new.created_at));
end;

-- Before, so that it comes before those of its todos, as on Postgres.
create temp trigger log_list_deleted before delete on main.lists begin
    insert into changes (owner, kind, id) values (old.owner, 'list', old.id);
end;
