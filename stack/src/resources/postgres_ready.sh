# The readiness probe: whether the volume responds, and whether the server accepts connections. Its output becomes an Event.
#
# The volume comes first, since the client library reads its home directory, which may be on the volume. It has its own time
# limit, since a process that hangs in I/O prevents that the kubelet ends the probe. Unlike reading a cached file, asking for
# the file system's size reaches the NFS server each time (RFC 8881, `space_*`).
error=$(timeout 3 stat -f "$PGDATA" 2>&1 > /dev/null)
case $? in
  0) ;;
  # The first is that of Debian's timeout, the others are those of a command that a signal ended.
  124 | 137 | 143) echo 'the volume does not answer within 3 s'; exit 1 ;;
  *) echo "the volume cannot be read: $error"; exit 1 ;;
esac
error=$(cat "${START_FAILURE:-/tmp/.todostack-superuser}" 2> /dev/null)
[ -z "$error" ] || { echo "the roles of the operator cannot be set: $error"; exit 1; }
exec pg_isready --host=127.0.0.1 --username=postgres
