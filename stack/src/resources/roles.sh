# Creates the application's role and database as in the Secret, or changes the role's password. Runs before every
# migration, so that a changed Secret reaches the server before any pod.
set -eu
export PGOPTIONS='-c log_statement=none -c log_min_error_statement=panic -c log_min_duration_statement=-1'
printed=
until pg_isready --quiet; do
  [ -n "$printed" ] || echo "waiting for $PGHOST:$PGPORT to accept connections"
  printed=yes
  sleep 0.2
done
psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 <<'SQL'
\set username `cat /etc/todostack/app/username`
\set password `cat /etc/todostack/app/password`
\set dbname `cat /etc/todostack/app/dbname`
-- A superuser that lost its rights to the application's role could not be given them back.
select format('do $$ begin raise exception %L; end $$', format('role %s is a superuser: choose another username for the application', :'username'))
where exists (select from pg_roles where rolname = :'username' and rolsuper) \gexec
select format('create role %I', :'username') where not exists (select from pg_roles where rolname = :'username') \gexec
alter role :"username" with login nosuperuser nocreatedb nocreaterole password :'password';
select format('create database %I owner %I', :'dbname', :'username') where not exists (select from pg_database where datname = :'dbname') \gexec
alter database :"dbname" owner to :"username";
\connect :"dbname"
-- Objects that init scripts created belong to the superuser; the application may use them.
grant all on all tables in schema public to :"username";
grant all on all sequences in schema public to :"username";
SQL
echo "role and database are as in the Secret"
