# Checks the volume before Postgres starts, and reports in one line of JSON what would prevent the start. Runs as the
# server's user in the server's image, in a POSIX shell. Writes nothing but a probe file, which it removes.
set -u
volume=${PREFLIGHT_VOLUME:?}
mounts=${PREFLIGHT_MOUNTS:-/proc/self/mounts}
report=${PREFLIGHT_REPORT:-/dev/termination-log}
image=${PREFLIGHT_IMAGE:-}
major=${PREFLIGHT_MAJOR:?}
needed=16384
slow=${PREFLIGHT_SLOW_MS:-500}
user=$(id -u):$(id -g)
data=$volume/$major/docker

fail() { # check path found wanted
  line=$(printf '{"check":"%s","path":"%s","found":"%s","wanted":"%s"}' "$1" "$2" "$3" "$4")
  printf '%s\n' "$line"
  printf '%s' "$line" > "$report"
  exit 1
}

# initdb looks its user up in /etc/passwd. The official entrypoint makes up for a missing entry where the image has
# libnss_wrapper.so.
knows_user() {
  for wrapper in "$image"/usr/lib/libnss_wrapper.so "$image"/usr/lib/*/libnss_wrapper.so "$image"/lib*/libnss_wrapper.so; do
    [ -s "$wrapper" ] && return 0
  done
  awk -F: -v uid="$(id -u)" '$3 == uid { found = 1 } END { exit !found }' "$image/etc/passwd"
}
command -v docker-entrypoint.sh > /dev/null || fail entrypoint "" "" docker-entrypoint.sh
[ -e "$data/PG_VERSION" ] || knows_user ||
  fail user "" "$(awk -F: '$1 == "postgres" { print $3 }' "$image/etc/passwd")" "$(id -u)"

# Of several mounts on the path, the last one is in effect.
options=
while read -r _ target _ these _; do
  [ "$target" = "$volume" ] && options=,$these,
done < "$mounts"
case $options in *,ro,*) fail readonly "$volume" ro rw ;; esac
case $options in *,soft,* | *,softerr,*) fail soft "$volume" soft hard ;; esac

left=$(df -Pk "$volume" | awk 'NR == 2 { print $4 }')
[ "${left:-0}" -ge "$needed" ] || fail full "$volume" "${left:-0}" "$needed"

owner=$(stat -c %u:%g "$volume")
probe=$volume/.preflight-$$
if ! error=$( (: > "$probe") 2>&1); then
  case $error in
    *'Read-only file system'*) fail readonly "$volume" ro rw ;;
    *'No space left'* | *'quota exceeded'*) fail full "$volume" 0 "$needed" ;;
  esac
  [ "${owner%%:*}" = "$(id -u)" ] || fail owner "$volume" "$owner" "$user"
  fail unwritable "$volume" "mode $(stat -c %a "$volume")" "$user"
fi
written=$(stat -c %u:%g "$probe")
# Where date has no nanoseconds (busybox), every write counts as fast.
now() { date +%s%N | tr -dc 0-9; }
begun=$(now)
dd if=/dev/zero of="$probe" bs=8k count=1 conv=fsync 2> /dev/null
took=$((($(now) - begun) / 1000000))
rm -f "$probe"
[ "${written%%:*}" = "$(id -u)" ] || fail squash "$volume" "$written" "$user"

# A slow volume does not prevent the start, but is reported: each commit takes as long.
if [ "$took" -ge "$slow" ]; then
  printf '{"check":"slow","wanted":"%s"}' "$slow" > "$report"
fi
# Files that were restored as another user: Postgres does not start in a directory that it does not own, and initdb would
# take one that it cannot read for an empty one.
if [ -d "$data" ]; then
  owner=$(stat -c %u:%g "$data")
  [ "${owner%%:*}" = "$(id -u)" ] || fail files "$data" "$owner" "$user"
fi
if [ -e "$data/PG_VERSION" ]; then
  found=$(cat "$data/PG_VERSION")
  [ "$found" = "$major" ] || fail version "$data" "$found" "$major"
  [ -s "$data/global/pg_control" ] || fail half "$data" "" ""
  exit 0
fi
[ -z "$(ls -A "$data" 2> /dev/null)" ] || fail half "$data" "" ""
# Data of another major version or in another directory layout must not be ignored for a new, empty data directory.
for other in "$volume"/*/docker "$volume" "$volume/data" "$volume/pgdata" "$volume/data/pgdata"; do
  [ -e "$other/PG_VERSION" ] && fail version "$other" "$(cat "$other/PG_VERSION")" "$major"
done
exit 0
