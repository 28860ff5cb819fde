# Makes the application's role and database what the Secret says, or changes the role's password to it. Runs before
# every migration, so that a changed Secret reaches the server before it reaches any pod.
set -eu
export PGOPTIONS='-c log_statement=none -c log_min_error_statement=panic -c log_min_duration_statement=-1'
printed=
until pg_isready --quiet; do
  [ -n "$printed" ] || echo "waiting for $PGHOST:$PGPORT to take connections"
  printed=yes
  sleep 0.2
done
psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 <<'SQL'
\set username `cat /etc/todostack/app/username`
\set password `cat /etc/todostack/app/password`
\set dbname `cat /etc/todostack/app/dbname`
select format('create role %I', :'username') where not exists (select from pg_roles where rolname = :'username') \gexec
alter role :"username" with login nosuperuser nocreatedb nocreaterole password :'password';
select format('create database %I owner %I', :'dbname', :'username') where not exists (select from pg_database where datname = :'dbname') \gexec
alter database :"dbname" owner to :"username";
\connect :"dbname"
-- What init scripts made belongs to the superuser; the application may use it.
grant all on all tables in schema public to :"username";
grant all on all sequences in schema public to :"username";
SQL
echo "role and database are as the Secret says"
