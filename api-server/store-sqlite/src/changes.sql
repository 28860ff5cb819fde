-- Of the connection that writes: what a transaction changes, collected in memory until it is committed.
create temp table changes (
    seq integer primary key,
    owner text not null,
    kind text not null,
    id integer not null,
    list_id integer,
    content text
);

-- The columns of a row as JSON, as it is when the trigger runs.
create temp view todo_contents as
select id, json_object(
    'id', id, 'owner', owner, 'list_id', list_id, 'title', title,
    'completed', json(iif(completed, 'true', 'false')), 'position', position,
    'due_date', due_date, 'tags', json(tags), 'priority', priority,
    'version', version, 'created_at', created_at, 'updated_at', updated_at
) as content
from main.todos;

create temp view list_contents as
select id, json_object(
    'id', id, 'name', name, 'position', position,
    'version', version, 'created_at', created_at, 'updated_at', updated_at
) as content
from main.lists;

create temp trigger log_inserted after insert on main.todos begin
    insert into changes (owner, kind, id, list_id, content)
    select new.owner, 'todo', new.id, new.list_id, content from todo_contents where id = new.id;
end;

create temp trigger log_updated after update on main.todos begin
    insert into changes (owner, kind, id, list_id, content)
    select new.owner, 'todo', new.id, new.list_id, content from todo_contents where id = new.id;
end;

create temp trigger log_deleted after delete on main.todos begin
    insert into changes (owner, kind, id, list_id) values (old.owner, 'todo', old.id, old.list_id);
end;

create temp trigger log_list_inserted after insert on main.lists begin
    insert into changes (owner, kind, id, content)
    select new.owner, 'list', new.id, content from list_contents where id = new.id;
end;

create temp trigger log_list_updated after update on main.lists begin
    insert into changes (owner, kind, id, content)
    select new.owner, 'list', new.id, content from list_contents where id = new.id;
end;

-- Before, so that it comes before those of its todos, as on Postgres.
create temp trigger log_list_deleted before delete on main.lists begin
    insert into changes (owner, kind, id) values (old.owner, 'list', old.id);
end;
