-- Lists can be changed: renamed, and ordered by the client.
alter table lists
    -- `order` in the API, as that of a todo.
    add column position bigint,
    -- The number in the ETag; grows with every change.
    add column version bigint not null default 1,
    -- Null until the first change.
    add column updated_at timestamptz;
