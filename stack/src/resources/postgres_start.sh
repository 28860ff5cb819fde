# Starts the image's own entrypoint. Beside it, once the server takes connections, gives the superuser the password of
# the Secret, over the local socket: POSTGRES_PASSWORD counts on an empty directory only, and a Secret that was lost
# and made anew must not lock the operator out of its data.
(
  until pg_isready --quiet --host=127.0.0.1; do sleep 1; done
  PGOPTIONS='-c log_statement=none -c log_min_error_statement=panic -c log_min_duration_statement=-1' \
    psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --host=/var/run/postgresql --username=postgres --dbname=postgres <<'SQL'
\set password `cat /etc/todostack/superuser/password`
alter role postgres with password :'password';
SQL
) &
exec docker-entrypoint.sh "$@"
