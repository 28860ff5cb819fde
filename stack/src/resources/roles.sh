# Creates the application's roles and database as in the Secret, and sets the password. Runs before every migration, so
# that a changed Secret reaches the server before any pod.
#
# The role todostack_owner owns the database and what is in it, and cannot log in. The application's username is a member
# and acts as the owner. So another username may alter what an earlier one created. Earlier usernames are closed, except
# for the one that running pods have.
set -eu
export PGOPTIONS='-c log_statement=none -c log_min_error_statement=panic -c log_min_duration_statement=-1 -c default_transaction_read_only=off -c statement_timeout=0 -c password_encryption=scram-sha-256 -c client_min_messages=warning'
printed=
until pg_isready --quiet; do
  [ -n "$printed" ] || echo "waiting for $PGHOST:$PGPORT to accept connections"
  printed=yes
  sleep 0.2
done
psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 <<'SQL'
\set owner todostack_owner
\set username `cat /etc/todostack/app/username`
\set dbname `cat /etc/todostack/app/dbname`
-- A superuser that lost its rights to the application's role could not be given them back.
select format('do $$ begin raise exception %L; end $$', format('role %s is a superuser: choose another username for the application', :'username'))
where exists (select from pg_roles where rolname = :'username' and rolsuper) \gexec
select format('create role %I', name) from (values (:'owner'), (:'username')) as wanted (name)
where not exists (select from pg_roles where rolname = name) \gexec
alter role :"owner" with nologin nosuperuser nocreatedb nocreaterole;
alter role :"username" with login nosuperuser nocreatedb nocreaterole inherit;
grant :"owner" to :"username";
alter role :"username" set role :'owner';
select format('create database %I owner %I', :'dbname', :'owner') where not exists (select from pg_database where datname = :'dbname') \gexec
-- Earlier versions made the application's role the owner of the database.
select format('grant %I to %I', :'owner', rolname) from pg_database join pg_roles on pg_roles.oid = datdba
where datname = :'dbname' and rolname <> :'owner' and not rolsuper \gexec
alter database :"dbname" owner to :"owner";
\connect :"dbname"
select format('reassign owned by %I to %I', member::regrole::name, :'owner') from pg_auth_members join pg_roles on pg_roles.oid = member
where roleid = :'owner'::regrole and not rolsuper \gexec
-- Objects that init scripts created belong to the superuser; the application may use them.
grant all on all tables in schema public to :"owner";
grant all on all sequences in schema public to :"owner";
SQL
# psql hashes the password, so that neither the server nor its log gets to know it. Without a terminal it reads the
# password from its input, twice.
hashed() {
  for _ in 1 2; do cat /etc/todostack/app/password; echo; done |
    psql --quiet --no-psqlrc --set=username="$(cat /etc/todostack/app/username)" --command='\password :"username"'
}
prompts=$(hashed 2>&1) || { echo "$prompts" >&2; exit 1; }
psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 <<'SQL'
\set owner todostack_owner
\set username `cat /etc/todostack/app/username`
\set released `cat /etc/todostack/app/replaces 2>/dev/null || cat /etc/todostack/app/username`
create temporary table closed as select rolname from pg_auth_members join pg_roles on pg_roles.oid = member
where roleid = :'owner'::regrole and not rolsuper and rolname not in (:'username', :'released');
select format('alter role %I with nologin password null', rolname) from closed \gexec
select count(pg_terminate_backend(pid)) as ended from pg_stat_activity join closed on usename = rolname \gset
SQL
echo "roles and database are as in the Secret"
