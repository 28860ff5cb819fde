# Checks image and volume before Postgres starts, and reports in one line of JSON what would prevent the start. Runs as the
# server's user in the server's image, after volume.sh. Writes nothing but the file of the lock, and a probe that it removes.
set -u
volume=${PREFLIGHT_VOLUME:?}
image=${PREFLIGHT_IMAGE:-}
mounts=${PREFLIGHT_MOUNTS:-/proc/self/mounts}
major=${PREFLIGHT_MAJOR:?}
slow=${PREFLIGHT_SLOW_MS:-500}
data=$volume/$major/docker
# The system identifier of the stack's database. Absent until the first migration.
identifier=$(cat "${PREFLIGHT_SECRET:-/etc/todostack/superuser}/system-identifier" 2> /dev/null)

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
found=$(postgres --version 2> /dev/null | sed -n 's/^postgres (PostgreSQL) \([0-9]*\).*/\1/p')
[ "${found:-$major}" = "$major" ] || fail image "" "$found" "$major"

# Of several mounts on the path, the last one is in effect.
options=
while read -r _ target _ these _; do
  [ "$target" = "$volume" ] && options=,$these,
done < "$mounts"
case $options in *,ro,*) fail readonly "" ro rw ;; esac
case $options in *,soft,* | *,softerr,*) fail soft "" soft hard ;; esac
case $options in *,nolock,* | *,local_lock=all,* | *,local_lock=flock,*) fail unlockable "" 'it is mounted with nolock or local_lock' "" ;; esac

within df -Pk "$volume"
left=$(printf '%s\n' "$output" | awk 'NR == 2 { print $4 }')
[ "${left:-0}" -ge "$needed" ] || fail full "" "${left:-0}" "$needed"

within mktemp "$volume/.preflight-XXXXXX" || denied "$volume"
probe=$output
within stat -c %u:%g "$probe"
written=$output
# Where date has no nanoseconds (busybox), every write counts as fast.
now() { date +%s%N | tr -dc 0-9; }
begun=$(now)
within dd if=/dev/zero of="$probe" bs=8k count=1 conv=fsync
took=$((($(now) - begun) / 1000000))
within rm -f "$probe"
[ "${written%%:*}" = "$(id -u)" ] || fail squash "" "$written" "$user"

# Another server may be initializing the directories that are checked below.
lock

# A slow volume does not prevent the start, but is reported: each commit takes as long.
if [ "$took" -ge "$slow" ]; then
  printf '{"check":"slow","wanted":"%s"}' "$slow" > "$report"
fi

directory=/$major/docker
# Files that were restored as another user: Postgres does not start in a directory that it does not own, and initdb would
# take one that it cannot read for an empty one.
if [ -d "$data" ]; then
  owner=$(stat -c %u:%g "$data")
  [ "${owner%%:*}" = "$(id -u)" ] || fail owner "$directory" "$owner" "$user"
fi
# An initialization that did not end. The start script begins again.
[ ! -e "$volume/$major/.todostack-unfinished" ] || [ -n "$identifier" ] || exit 0
if [ -e "$data/PG_VERSION" ]; then
  found=$(cat "$data/PG_VERSION")
  [ "$found" = "$major" ] || fail version "$directory" "$found" "$major"
  [ -s "$data/global/pg_control" ] || fail half "$directory" "" ""
  # The first field of the file, in every version of Postgres.
  found=$(od -An -tu8 -N8 "$data/global/pg_control" | tr -d ' ')
  [ "$found" = "${identifier:-$found}" ] || fail replaced "$directory" "$found" "$identifier"
  exit 0
fi
# Data of another version or in another layout must not be passed over for a new, empty data directory. Each database
# in a data directory has a PG_VERSION too, and hidden directories hold snapshots.
within find "$volume" -maxdepth 4 -path "$volume/.*" -prune -o -name PG_VERSION -print
other=$(printf '%s\n' "$output" | grep '/PG_VERSION$' | grep -v '/base/[0-9]*/PG_VERSION$' | sort | head -n 1)
if [ -n "$other" ]; then
  other=${other%/PG_VERSION}
  found=$(head -n 1 "$other/PG_VERSION")
  [ "$found" = "$major" ] || fail version "${other#"$volume"}" "$found" "$major"
  # Debian and others keep the configuration elsewhere, so Postgres could not start on the directory alone.
  [ -e "$other/postgresql.conf" ] || fail configless "${other#"$volume"}" "$found" "$directory"
  fail layout "${other#"$volume"}" "$found" "$directory"
fi
[ -z "$(ls -A "$data" 2> /dev/null)" ] || fail half "$directory" "" ""
[ -z "$identifier" ] || fail lost "" "" "$identifier"
exit 0
