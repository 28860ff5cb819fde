# Takes the lock on the volume, initializes an empty data directory by the image's own entrypoint, and starts it. After
# volume.sh and access.sh.
volume=${PGDATA%/*/*}
sockets=${START_SOCKETS:-/var/run/postgresql}
temporary=${START_TEMPORARY:-/tmp}
lock

# Exists while the data directory is not fully initialized. No server has served it then, so the next start begins again: the
# entrypoint takes a directory in which an init script failed for an initialized one. A directory of another origin has no
# such file.
unfinished=${PGDATA%/*}/.todostack-unfinished
# The system identifier of the stack's database. A data directory is never removed once it is known.
identifier=${START_SECRET:-/etc/todostack/superuser}/system-identifier

# Waits until the entrypoint has initialized the directory and become the server, then stops it.
stop_when_ready() {
  until [ "$(head -n 1 "$PGDATA/postmaster.pid" 2> /dev/null)" = "$1" ] && pg_isready --quiet --host="$sockets"; do
    sleep 0.1
  done
  : > "$initialized"
  kill -INT "$1"
}

# Runs the entrypoint until it has initialized the directory. It goes on to start a server, here without a network.
initialize() {
  log=$temporary/.todostack-log
  initialized=$temporary/.todostack-initialized
  mkdir -p "${PGDATA%/*}"
  # Before anything else is on the disk, and gone from it before the server has clients.
  : > "$unfinished" && sync "$unfinished" "${PGDATA%/*}"
  : > "$log"
  rm -f "$initialized"
  tail -n +1 -f "$log" &
  shown=$!
  docker-entrypoint.sh "$@" -c listen_addresses= >> "$log" 2>&1 &
  entrypoint=$!
  stop_when_ready "$entrypoint" &
  stopper=$!
  # An init script that is sourced may exit with 0, and the entrypoint with it.
  wait "$entrypoint" && [ -e "$initialized" ] || failed=yes
  # The log is shown a moment after it is written.
  [ -z "${failed:-}" ] || sleep 1
  kill "$stopper" "$shown" 2> /dev/null
  wait "$stopper" "$shown" 2> /dev/null
  [ -z "${failed:-}" ] || not_initialized
  rm "$unfinished" && sync "${PGDATA%/*}"
}

# Reports the init script that failed, by the entrypoint's words, with psql's or else the last line.
not_initialized() {
  script=$(sed -n -e 's|.*: running /docker-entrypoint-initdb.d/||p' -e 's|.*: sourcing /docker-entrypoint-initdb.d/||p' "$log" |
    tail -n 1)
  [ -n "$script" ] || exit 1
  error=$(grep -E '^psql:.*(ERROR|FATAL|error): ' "$log" | tail -n 1)
  [ -n "$error" ] || error=$(grep . "$log" | tail -n 1)
  fail script "$script" "$error" ""
}

if [ -e "$unfinished" ] && [ ! -s "$identifier" ]; then
  rm -rf "$PGDATA"
fi
[ -s "$PGDATA/PG_VERSION" ] || initialize "$@"

# Does what `access` does, once the server accepts connections: a superuser's Secret that was lost and recreated must
# not lock the operator out. A child of the server that exits with another code than 0 or 1 counts as a crash, after
# which the server ends all sessions and recovers. So this one always exits with 0, and the readiness probe prints the
# file with the error.
failure=$temporary/.todostack-superuser
rm -f "$failure"
(
  exec 9>&-
  until pg_isready --quiet --host=127.0.0.1; do sleep 1; done
  until prompts=$(access 2>&1); do
    # psql points into the statement on the lines that follow an error.
    error=$(printf '%s\n' "$prompts" | sed 's/.*Enter it again: //' | grep -E 'ERROR|FATAL|error:' | tail -n 1)
    [ "$error" = "$(cat "$failure" 2> /dev/null)" ] || printf '%s\n' "$error" | tee "$failure" >&2
    sleep 5
  done
  rm -f "$failure"
  exit 0
) &
exec docker-entrypoint.sh "$@"
