# What the superuser does over the local socket at every start of the server, as functions of the start script. After
# it, nobody needs the superuser over the network, and nobody may log in as it there: the migration Job logs in as
# todostack_jobs, which may do no more than give a username access to the application's database and close others.
superuser() {
  PGPASSWORD=$(cat "${START_SECRET:-/etc/todostack/superuser}/password") \
    PGOPTIONS='-c log_statement=none -c log_min_error_statement=panic -c log_min_duration_statement=-1 -c default_transaction_read_only=off -c statement_timeout=0 -c password_encryption=scram-sha-256 -c client_min_messages=warning' \
    psql --quiet --no-psqlrc --no-password --set=ON_ERROR_STOP=1 --host="${START_SOCKETS:-/var/run/postgresql}" --username=postgres "$@"
}
access() {
  define_roles && set_password postgres && set_password todostack_jobs && restrict_superuser
}
# psql hashes the password, so that neither the server nor its log gets to know it. Without a terminal it reads the
# password from its input, twice.
set_password() {
  prompts=$(for _ in 1 2; do cat "${START_SECRET:-/etc/todostack/superuser}/password"; echo; done |
    superuser --dbname=postgres --command="\\password $1" 2>&1) || { echo "$prompts" >&2; return 1; }
}
define_roles() {
  superuser --dbname=postgres --set=dbname="$POSTGRES_DB" <<'SQL'
begin;
-- Owns the application's database and what is in it. Its members are the usernames that may log in.
select format('create role %I nologin', name)
from unnest(array['todostack_owner', 'todostack_verifier', 'todostack_jobs']) as wanted (name)
where not exists (select from pg_roles where rolname = name) \gexec
alter role todostack_owner with nologin nosuperuser nocreatedb nocreaterole;
-- Takes the hash of a password from psql to `admit`.
alter role todostack_verifier with nologin nosuperuser nocreatedb nocreaterole password null;
alter role todostack_jobs with login nosuperuser nocreatedb nocreaterole;
grant todostack_verifier to todostack_jobs;
alter role todostack_jobs set log_statement = 'none';
alter role todostack_jobs set log_min_error_statement = 'panic';
alter role todostack_jobs set log_min_duration_statement = -1;
alter role todostack_jobs set password_encryption = 'scram-sha-256';
create schema if not exists todostack;
grant usage on schema todostack to todostack_jobs;
-- Lets `username` log in with the password whose hash todostack_verifier has, and closes all others but `released`.
create or replace function todostack.admit(username name, released name) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
declare
  verifier text := (select rolpassword from pg_authid where rolname = 'todostack_verifier');
  earlier name;
begin
  if verifier is null then
    raise exception 'no password is given';
  end if;
  if not exists (select from pg_roles where rolname = username) then
    execute format('create role %I', username);
  elsif starts_with(username, 'todostack_') or exists (
    select from pg_roles
    where rolname = username and (rolsuper or rolcreaterole or rolreplication or rolbypassrls
      or exists (select from pg_auth_members where member = pg_roles.oid and roleid <> 'todostack_owner'::regrole))
  ) then
    raise exception 'role % has rights on the server: choose another username for the application', username;
  end if;
  execute format('alter role %I with login nocreatedb inherit password %L', username, verifier);
  execute format('grant todostack_owner to %I', username);
  alter role todostack_verifier password null;
  for earlier in
    select rolname from pg_auth_members join pg_roles on pg_roles.oid = member
    where roleid = 'todostack_owner'::regrole and not rolsuper and rolname not in (username, released)
  loop
    execute format('alter role %I with nologin password null', earlier);
    perform pg_terminate_backend(pid) from pg_stat_activity where usename = earlier;
  end loop;
end $body$;
revoke all on function todostack.admit from public;
grant execute on function todostack.admit to todostack_jobs;
-- Earlier versions made the application's role the owner of the database.
select format('grant todostack_owner to %I', rolname) from pg_database join pg_roles on pg_roles.oid = datdba
where datname = :'dbname' and rolname <> 'todostack_owner' and not rolsuper \gexec
commit;
select format('create database %I', :'dbname') where not exists (select from pg_database where datname = :'dbname') \gexec
alter database :"dbname" owner to todostack_owner;
\connect :"dbname"
select format('reassign owned by %I to todostack_owner', rolname) from pg_auth_members join pg_roles on pg_roles.oid = member
where roleid = 'todostack_owner'::regrole and not rolsuper \gexec
-- Objects that init scripts created belong to the superuser; the application may use them.
grant all on all tables in schema public to todostack_owner;
grant all on all sequences in schema public to todostack_owner;
SQL
}
restrict_superuser() {
  rules=$(superuser --dbname=postgres --tuples-only --no-align --command='show hba_file') || return
  if grep -q '^# todostack:' "$rules"; then return; fi
  (
    umask 077
    {
      echo '# todostack: the superuser logs in on this host only'
      echo 'host all postgres samehost scram-sha-256'
      echo 'host all postgres all reject'
      cat "$rules"
    } > "$rules.new" && mv "$rules.new" "$rules"
  ) && superuser --dbname=postgres --command='select pg_reload_conf()' > /dev/null
}
