#!/bin/bash
# Stands in for the entry point of PostgreSQL's official image where that cannot be had (docker.sh): POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB, and
# /docker-entrypoint-initdb.d/*.sql and *.sh, once, on an empty data folder, by a server that listens on its socket only.
set -euo pipefail
[[ ${1:-} != -* ]] || set -- postgres "$@"
export POSTGRES_USER=${POSTGRES_USER:-postgres}
export POSTGRES_DB=${POSTGRES_DB:-$POSTGRES_USER}
if [ "$(id -u)" = 0 ]; then
  install -d -o postgres -g postgres -m 2775 /var/run/postgresql
  install -d -o postgres -g postgres -m 700 "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  : "${POSTGRES_PASSWORD:?is required}"
  initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 >/dev/null
  echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
  pg_ctl --wait --options="-c listen_addresses=''" --log=/tmp/init.log start >/dev/null
  [ "$POSTGRES_DB" = postgres ] || psql -X -q --username "$POSTGRES_USER" --dbname postgres --command "CREATE DATABASE \"$POSTGRES_DB\""
  for file in /docker-entrypoint-initdb.d/*; do
    case $file in
      *.sh) if [ -x "$file" ]; then "$file"; else . "$file"; fi;;
      *.sql) psql -X -q -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --file "$file";;
    esac
  done
  pg_ctl --wait --mode=fast stop >/dev/null
fi
# A command line, so that `docker run ... -c fsync=off` is heard.
[ "$1" != postgres ] || set -- "$@" -c listen_addresses='*'
exec "$@"
