\set id random(1, 10000)
select id, owner, list_id, title, completed, position, due_date, tags, priority, version, created_at, updated_at from todos where id = :id;
