-- The same as in Postgres, where the log of changes was the second migration. The one of a SQLite file is in memory.
alter table lists add column position integer;
alter table lists add column version integer not null default 1;
alter table lists add column updated_at text;
