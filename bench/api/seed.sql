-- 10,000 todos of ordinary length.
truncate todos restart identity;
insert into todos (owner, title, position, tags)
select '', 'todo number ' || n || ' of the seeded rows', n, '["shop"]' from generate_series(1, 10000) n;
