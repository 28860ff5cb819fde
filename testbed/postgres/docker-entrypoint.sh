#!/bin/bash
# Starts Postgres by the documented contract of the official image; written from that contract for the local cluster.
# POSTGRES_{USER,PASSWORD,DB,INITDB_ARGS}[_FILE], POSTGRES_INITDB_WALDIR, POSTGRES_HOST_AUTH_METHOD, PGDATA,
# /docker-entrypoint-initdb.d/*.{sh,sql,sql.gz,sql.xz,sql.zst}: all but PGDATA count only where PGDATA is empty.
set -euo pipefail

fail() {
    echo "Error: $*" >&2
    exit 1
}

# from_file NAME [DEFAULT]: NAME from itself, from the file that NAME_FILE names, or the default.
from_file() {
    local name=$1 file="${1}_FILE"
    [ -z "${!name:-}" ] || [ -z "${!file:-}" ] || fail "both $name and $file are set (but are exclusive)"
    if [ -n "${!file:-}" ]; then
        [ -r "${!file}" ] || fail "$file names ${!file}, which cannot be read"
        export "$name"="$(<"${!file}")"
    else
        export "$name"="${!name:-${2:-}}"
    fi
    unset "$file"
}

run_init_files() {
    local file
    for file in /docker-entrypoint-initdb.d/*; do
        case $file in
        *.sh)
            # The contract: executable scripts are run, the others are sourced.
            # shellcheck source=/dev/null
            if [ -x "$file" ]; then echo "$0: running $file"; "$file"; else echo "$0: sourcing $file"; . "$file"; fi ;;
        *.sql) echo "$0: running $file"; on_socket "$POSTGRES_DB" -f "$file" ;;
        *.sql.gz) echo "$0: running $file"; gunzip -c "$file" | on_socket "$POSTGRES_DB" ;;
        *.sql.xz) echo "$0: running $file"; xzcat "$file" | on_socket "$POSTGRES_DB" ;;
        *.sql.zst) echo "$0: running $file"; zstd -dc "$file" | on_socket "$POSTGRES_DB" ;;
        '/docker-entrypoint-initdb.d/*') ;;
        *) echo "$0: ignoring $file" ;;
        esac
    done
}

# on_socket DATABASE PSQL-ARGUMENTS…
on_socket() {
    PGHOST='' PGHOSTADDR='' psql -v ON_ERROR_STOP=1 --no-password --no-psqlrc --username "$POSTGRES_USER" --dbname "$@"
}

# named COMMAND…: runs it with an entry in /etc/passwd for the user, which initdb requires, even if the image has none.
named() {
    local wrapper
    wrapper=$(echo /usr/lib/*/libnss_wrapper.so)
    if getent passwd "$(id -u)" > /dev/null || [ ! -e "$wrapper" ]; then "$@"; return; fi
    local passwd group
    passwd=$(mktemp) group=$(mktemp)
    echo "postgres:x:$(id -u):$(id -g):PostgreSQL:$PGDATA:/bin/false" > "$passwd"
    echo "postgres:x:$(id -g):" > "$group"
    LD_PRELOAD=$wrapper NSS_WRAPPER_PASSWD=$passwd NSS_WRAPPER_GROUP=$group "$@"
    rm -f "$passwd" "$group"
}

initialise() {
    from_file POSTGRES_PASSWORD
    from_file POSTGRES_USER postgres
    from_file POSTGRES_DB "$POSTGRES_USER"
    from_file POSTGRES_INITDB_ARGS
    : "${POSTGRES_HOST_AUTH_METHOD:=}"
    [ -n "$POSTGRES_PASSWORD" ] || [ "$POSTGRES_HOST_AUTH_METHOD" = trust ] ||
        fail "Database is uninitialized and superuser password is not specified. You must specify POSTGRES_PASSWORD to a non-empty value for the superuser."

    # eval, because POSTGRES_INITDB_ARGS is documented as a line of shell words.
    eval "local words=($POSTGRES_INITDB_ARGS)"
    [ -z "${POSTGRES_INITDB_WALDIR:-}" ] || words+=(--waldir="$POSTGRES_INITDB_WALDIR")
    named initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") "${words[@]}"

    local method=${POSTGRES_HOST_AUTH_METHOD:-$(postgres -C password_encryption "$@")}
    printf '\nhost all all all %s\n' "$method" >> "$PGDATA/pg_hba.conf"

    # A server that only the init files can reach: no client may meet a half-made database.
    pg_ctl -D "$PGDATA" -o "$(printf '%q ' "$@" -c listen_addresses='' -p "${PGPORT:-5432}")" -w start
    export PGPASSWORD=$POSTGRES_PASSWORD
    if ! on_socket postgres --tuples-only --set db="$POSTGRES_DB" <<< "SELECT 1 FROM pg_database WHERE datname = :'db';" | grep -q 1; then
        on_socket postgres --set db="$POSTGRES_DB" <<< 'CREATE DATABASE :"db";'
    fi
    run_init_files
    pg_ctl -D "$PGDATA" -m fast -w stop
    unset PGPASSWORD
    echo 'PostgreSQL init process complete; ready for start up.'
}

[ "${1:0:1}" != - ] || set -- postgres "$@"

if [ "$1" = postgres ]; then
    # On a foreign volume or a read-only root these fail; the server itself reports what matters.
    { mkdir -p "$PGDATA" && chmod 00700 "$PGDATA"; } || true
    { mkdir -p /var/run/postgresql && chmod 03775 /var/run/postgresql; } 2> /dev/null || true
    if [ "$(id -u)" = 0 ]; then
        find "$PGDATA" /var/run/postgresql \! -user postgres -exec chown postgres '{}' +
        exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
    fi
    if [ -s "$PGDATA/PG_VERSION" ]; then
        echo 'PostgreSQL Database directory appears to contain a database; Skipping initialization'
    else
        initialise "${@:2}"
    fi
fi

exec "$@"
