insert into todos (owner, list_id, title, completed, position, due_date, tags, priority) values ('', null, 'buy a pound of green tea', false, 523, null, '["shop"]', null) returning id, created_at;
