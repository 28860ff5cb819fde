# Starts the image's own entrypoint, and in the background, once the server accepts connections, does what `access` does:
# a superuser's Secret that was lost and recreated must not lock the operator out.
(
  until pg_isready --quiet --host=127.0.0.1; do sleep 1; done
  access
  # The server would count a child that fails as a crashed backend, and restart all of them.
  exit 0
) &
exec docker-entrypoint.sh "$@"
