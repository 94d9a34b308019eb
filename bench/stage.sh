# Sourced by the scripts beside it: servers of their own, the program as it is published, and databases full of chats.
# BENCH_ARCHIVER=FILE takes that executable instead of building one; SESSIONS, MESSAGES and so on are the scripts' own.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
WORK_PREFIX=archiver-bench
. tests/Testing/servers/common.sh

# Starts PostgreSQL and the S3 gateway, builds the executable, makes the bucket.
stage() {
  local postgres rgw runtime
  [ -n "${BENCH_ARCHIVER:-}" ] || WITH_LINKER=1
  install_servers
  export PG_EXTRA=$'shared_buffers = 512MB\nmax_wal_size = 8GB\ncheckpoint_timeout = 30min\nwal_level = replica\ntimezone = UTC\ndatestyle = ISO\n'${PG_EXTRA:-}
  start_server postgres; postgres=${PIDS[-1]}
  # As in bench/run.sh.
  export RGW_THREADS=${RGW_THREADS:-8}
  start_server rgw; rgw=${PIDS[-1]}
  export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1
  if [ -z "${BENCH_ARCHIVER:-}" ]; then
    # As the README says it.
    case $(uname -m) in aarch64) runtime=linux-arm64;; *) runtime=linux-x64;; esac
    launch dotnet publish src/Worker -c Release -r "$runtime" -o "$WORK/archiver" -m:1 -v quiet -p:RestoreLockedMode=true -p:UseSharedCompilation=false >"$WORK/build.log" 2>&1
    await || { tail -n 20 "$WORK/build.log" >&2; fail "src/Worker does not build (see above)"; }
    BENCH_ARCHIVER=$WORK/archiver/archiver
  fi
  await_server postgres "$postgres"
  await_server rgw "$rgw"
  "$SERVERS/rgw.sh" make-bucket "$WORK/rgw" bench || fail "the S3 server does not take a bucket"
  BIN=$(value postgres POSTGRES_BIN)
  export PGHOST=127.0.0.1 PGUSER=postgres PGPORT PGPASSWORD PGOPTIONS='-c client_min_messages=warning'
  PGPORT=$(value postgres POSTGRES_PORT) PGPASSWORD=$(value postgres POSTGRES_PASSWORD)
  export Archiver__Sources__main__Preset=ended-at Archiver__Sources__main__Policies__idle__Action=Archive Archiver__Sources__main__Policies__idle__IdleFor=90d
  export Archiver__Storage__Bucket=bench Archiver__Storage__PathStyle=true Archiver__Safety__MaxShare=1
  export Archiver__Storage__Endpoint Archiver__Storage__AccessKey Archiver__Storage__SecretKey
  Archiver__Storage__Endpoint=$(value rgw S3_ENDPOINT) Archiver__Storage__AccessKey=$(value rgw S3_ACCESS_KEY) Archiver__Storage__SecretKey=$(value rgw S3_SECRET_KEY)
}

sql() { "$BIN/psql" -XAtq -v ON_ERROR_STOP=1 -d "$1" -c "$2" || fail "psql: $2"; }

# A database with so many idle and young sessions; the archiver's configuration then points to it, with objects under its own prefix.
chats() { # DATABASE IDLE YOUNG MESSAGES
  local first=$2 made
  [ "$first" -le 20000 ] || first=20000
  sql postgres "CREATE DATABASE $1 TEMPLATE template0"
  "$BIN/psql" -Xq -v ON_ERROR_STOP=1 -d "$1" -f sql/schemas/ended-at.sql >/dev/null || fail "the schema cannot be made"
  "$BIN/psql" -Xq -v ON_ERROR_STOP=1 -d "$1" -c "SET sample.idle = '$first'; SET sample.young = '$3'; SET sample.messages = '$4'" \
    -f sql/samples/conversations.sql -f sql/samples/ended-at.sql >/dev/null || fail "the chats cannot be made"
  for ((made = first; made < $2; made += first)); do
    "$BIN/psql" -Xq -v ON_ERROR_STOP=1 -d "$1" -c "SET bench.first = '$first'; SET bench.made = '$made'; SET bench.count = '$(($2 - made < first ? $2 - made : first))'" -f bench/copies.sql >/dev/null || fail "the chats cannot be made"
  done
  sql "$1" "VACUUM (ANALYZE) chat_sessions, chat_messages"
  use "$1"
}
use() { export Archiver__Storage__Prefix=$1 Archiver__Sources__main__ConnectionString="Host=$PGHOST;Port=$PGPORT;Username=$PGUSER;Password=$PGPASSWORD;Database=$1"; }

now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.2f", b - a }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
