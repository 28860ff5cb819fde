# Starts the image's own entrypoint. In the background, once the server accepts connections, sets the superuser's password
# to that of the Secret over the local socket: POSTGRES_PASSWORD is used for an empty data directory only, and a Secret
# that was lost and recreated must not lock the operator out.
(
  until pg_isready --quiet --host=127.0.0.1; do sleep 1; done
  PGOPTIONS='-c log_statement=none -c log_min_error_statement=panic -c log_min_duration_statement=-1' \
    psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --host=/var/run/postgresql --username=postgres --dbname=postgres <<'SQL'
\set password `cat /etc/todostack/superuser/password`
alter role postgres with password :'password';
SQL
) &
exec docker-entrypoint.sh "$@"
