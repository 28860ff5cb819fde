# Lets the username of the application's Secret log in with its password, and closes earlier usernames, except for the one
# that running pods have. Runs before every migration, so that a changed Secret reaches the server before any pod.
#
# Logs in as todostack_jobs, which access.sh creates when the server has started.
set -eu
export PGUSER=todostack_jobs PGDATABASE=postgres PGCONNECT_TIMEOUT=10
export PGOPTIONS='-c default_transaction_read_only=off -c statement_timeout=0 -c lock_timeout=10s -c client_min_messages=warning'
run() {
  psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 "$@"
}
printed=
until pg_isready --quiet && run --command="select 'todostack.admit'::regproc" > /dev/null 2>&1; do
  [ -n "$printed" ] || echo "waiting for $PGHOST:$PGPORT to accept connections"
  printed=yes
  sleep 0.2
done
# psql hashes the password, so that neither the server nor its log gets to know it. Without a terminal it reads the
# password from its input, twice.
prompts=$(for _ in 1 2; do cat /etc/todostack/app/password; echo; done |
  run --command='set role todostack_verifier' --command='\password todostack_verifier' 2>&1) ||
  { echo "$prompts" >&2; exit 1; }
run <<'SQL'
\set username `cat /etc/todostack/app/username`
\set released `cat /etc/todostack/app/replaces 2>/dev/null || cat /etc/todostack/app/username`
select from todostack.admit(:'username', :'released') \g /dev/null
SQL
# The username acts as the owner, so another username may alter what it created. Only a role itself and the superuser may
# set this.
PGUSER=$(cat /etc/todostack/app/username)
PGPASSWORD=$(cat /etc/todostack/app/password)
PGDATABASE=$(cat /etc/todostack/app/dbname)
run <<'SQL'
set role none;
alter role session_user set role = 'todostack_owner';
SQL
# The identity of the database, by which the check of the volume recognizes it.
identifier=$(run --tuples-only --no-align --command='select system_identifier from pg_control_system()')
echo "the roles are as in the Secret"
printf '{"systemIdentifier":"%s"}' "$identifier" > "${ROLES_REPORT:-/dev/termination-log}"
