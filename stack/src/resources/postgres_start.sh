# Starts the image's own entrypoint. In the background, once the server accepts connections, sets the superuser's password
# to that of the Secret over the local socket: POSTGRES_PASSWORD is used for an empty data directory only, and a Secret
# that was lost and recreated must not lock the operator out.
(
  until pg_isready --quiet --host=127.0.0.1; do sleep 1; done
  # psql hashes the password, so that neither the server nor its log gets to know it. Without a terminal it reads the
  # password from its input, twice.
  prompts=$(for _ in 1 2; do cat /etc/todostack/superuser/password; echo; done |
    PGOPTIONS='-c log_statement=none -c log_min_error_statement=panic -c log_min_duration_statement=-1 -c default_transaction_read_only=off -c statement_timeout=0 -c password_encryption=scram-sha-256' \
      psql --quiet --no-psqlrc --host=/var/run/postgresql --username=postgres --dbname=postgres \
      --command='\password postgres' 2>&1) || echo "$prompts" >&2
) &
exec docker-entrypoint.sh "$@"
