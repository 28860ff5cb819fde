# What preflight.sh and postgres_start.sh share: the report of what prevents the start, commands that wait for the volume no
# longer than a limit, and the lock on the volume. For a POSIX shell with the programs of Debian or of busybox.
report=${VOLUME_REPORT:-/dev/termination-log}
user=$(id -u):$(id -g)
# Free space in KiB that Postgres needs to start.
needed=16384
# The kubelet restarts a failed container more and more slowly. So the first attempt fails soon, to report, and the next ones
# wait long. This file in the pod's temporary directory tells them apart.
waits=${VOLUME_WAITS:-/tmp/.todostack-waits}
patience() { if [ -e "$waits" ]; then echo 600; else echo "$1"; fi; }

# describe CHECK PATH FOUND WANTED: the report, one line of JSON. The path is that in the volume.
describe() {
  printf '{"check":"%s","path":"%s","found":"%s","wanted":"%s"}' "$1" "$2" "$(text "$3")" "$4"
}

# fail CHECK PATH FOUND WANTED: reports, and exits.
fail() {
  described=$(describe "$@")
  printf '%s\n' "$described"
  printf '%s' "$described" > "$report"
  exit 1
}

# As fail, for what ends without a change.
fail_and_wait() {
  : > "$waits"
  fail "$@"
}

# text TEXT: as a string of JSON can have it.
text() { printf '%s' "$1" | tr '\n\t' '  ' | tr -d '\000-\037' | sed 's/[\\"]/\\&/g'; }

# within COMMAND…: runs a command that reads or writes the volume, with its output in `output`. The shell itself would wait
# forever for an NFS server that does not respond.
within() {
  output=$(timeout "$(patience "${VOLUME_PATIENCE:-15}")" "$@" 2>&1)
  code=$?
  # The first is that of Debian's timeout, the others are those of a command that a signal ended.
  case $code in 124 | 137 | 143) fail_and_wait stalled "" "$1" "" ;; esac
  return "$code"
}

# denied PATH: reports why the volume or a file on it cannot be written. `output` has the error.
denied() {
  case $output in
    *'Read-only file system'*) fail readonly "" ro rw ;;
    *'No space left'* | *'quota exceeded'*) fail full "" 0 "$needed" ;;
  esac
  owner=$(stat -c %u:%g "$1")
  [ "${owner%%:*}" = "$(id -u)" ] || fail owner "${1#"$volume"}" "$owner" "$user"
  fail unwritable "" "mode $(stat -c %a "$1")" "$user"
}

# Takes the lock on the volume. This process and all that inherit its file descriptor 9 hold it until the last of them exits,
# so two servers never use one volume, whatever its mount, their nodes and clusters. Over NFS the server keeps the lock.
lock() {
  lock=$volume/.todostack.lock
  # An exclusive lock over NFS needs a file that is open for writing.
  within touch "$lock" || denied "$lock"
  exec 9>> "$lock"
  # The first process of a container ignores the signal unless it has a trap.
  trap 'exit 143' TERM
  tries=$(patience "${VOLUME_TRIES:-3}")
  # busybox has no option to wait for a time.
  until within flock -n 9; do
    [ -z "$output" ] || fail unlockable "" "$output" ""
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || fail_and_wait inuse "" "" ""
    sleep 1
  done
  trap - TERM
  rm -f "$waits"
}
