# Looks at the volume before Postgres does, and says in one line of JSON what would keep it from starting. Runs as the
# server's user in the server's image, in a POSIX shell. Changes nothing but a probe file, which it removes.
set -u
volume=${PREFLIGHT_VOLUME:-/var/lib/postgresql}
mounts=${PREFLIGHT_MOUNTS:-/proc/self/mounts}
report=${PREFLIGHT_REPORT:-/dev/termination-log}
major=${PREFLIGHT_MAJOR:?}
needed=16384
slow=${PREFLIGHT_SLOW_MS:-500}
user=$(id -u):$(id -g)
data=$volume/$major/docker

refuse() { # check path found wanted
  line=$(printf '{"check":"%s","path":"%s","found":"%s","wanted":"%s"}' "$1" "$2" "$3" "$4")
  printf '%s\n' "$line"
  printf '%s' "$line" > "$report"
  exit 1
}

# The last mount on the path is the one that counts.
options=
while read -r _ target _ these _; do
  [ "$target" = "$volume" ] && options=,$these,
done < "$mounts"
case $options in *,ro,*) refuse readonly "$volume" ro rw ;; esac
case $options in *,soft,* | *,softerr,*) refuse soft "$volume" soft hard ;; esac

left=$(df -Pk "$volume" | awk 'NR == 2 { print $4 }')
[ "${left:-0}" -ge "$needed" ] || refuse full "$volume" "${left:-0}" "$needed"

owner=$(stat -c %u:%g "$volume")
probe=$volume/.preflight-$$
if ! words=$( (: > "$probe") 2>&1); then
  case $words in
    *'Read-only file system'*) refuse readonly "$volume" ro rw ;;
    *'No space left'* | *'quota exceeded'*) refuse full "$volume" 0 "$needed" ;;
  esac
  [ "${owner%%:*}" = "$(id -u)" ] || refuse owner "$volume" "$owner" "$user"
  refuse unwritable "$volume" "mode $(stat -c %a "$volume")" "$user"
fi
written=$(stat -c %u:%g "$probe")
# Where date has no nanoseconds (busybox), all writes count as fast.
now() { date +%s%N | tr -dc 0-9; }
begun=$(now)
dd if=/dev/zero of="$probe" bs=8k count=1 conv=fsync 2> /dev/null
took=$((($(now) - begun) / 1000000))
rm -f "$probe"
[ "${written%%:*}" = "$(id -u)" ] || refuse squash "$volume" "$written" "$user"

# Slow is no reason not to start, but one to say so: a commit takes as long.
if [ "$took" -ge "$slow" ]; then
  printf '{"check":"slow","wanted":"%s"}' "$slow" > "$report"
fi
if [ -e "$data/PG_VERSION" ]; then
  found=$(cat "$data/PG_VERSION")
  [ "$found" = "$major" ] || refuse version "$data" "$found" "$major"
  [ -s "$data/global/pg_control" ] || refuse half "$data" "" ""
  exit 0
fi
[ -z "$(ls -A "$data" 2> /dev/null)" ] || refuse half "$data" "" ""
# Data of another major version, or of another layout of directories, must not be passed over for a new, empty one.
for other in "$volume"/*/docker "$volume" "$volume/data" "$volume/pgdata" "$volume/data/pgdata"; do
  [ -e "$other/PG_VERSION" ] && refuse version "$other" "$(cat "$other/PG_VERSION")" "$major"
done
exit 0
