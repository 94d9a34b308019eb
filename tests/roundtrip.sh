#!/bin/bash
# 10,000 sessions of 20 messages over the four presets, in both layouts: archived and restored by the executable, each in one command,
# the tables compared in COPY form, restored a second time. Prints how fast each was, and their ratio.
#
#   tests/roundtrip.sh [SESSIONS]      SESSIONS of each preset (2500); about two minutes on a quiet machine; servers of its own, removed at the end
#
# Exits 1 when a table differs, or when a restore reaches less than a third of the speed of its archive run.
# Last result: tests/roundtrip.md
set -u
cd "$(dirname "$0")/.." || exit 1
SESSIONS=${1:-2500}
[[ $SESSIONS =~ ^[1-9][0-9]{0,6}$ ]] || { sed -n '2,8s/^# \{0,1\}//p' tests/roundtrip.sh; exit 2; }
WORK_PREFIX=archiver-roundtrip
. tests/Testing/servers/common.sh

install_servers
start_server postgres; postgres=${PIDS[-1]}
start_server rgw; rgw=${PIDS[-1]}
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1
launch dotnet build src/Worker -c Release -m:1 -v quiet -p:RestoreLockedMode=true -p:UseSharedCompilation=false >"$WORK/build.log" 2>&1
await || { tail -n 20 "$WORK/build.log" >&2; fail "the archiver does not build (see above)"; }
await_server postgres "$postgres"
await_server rgw "$rgw"
"$SERVERS/rgw.sh" make-bucket "$WORK/rgw" roundtrip || fail "the S3 server does not take a bucket"
PSQL=$(value postgres POSTGRES_BIN)/psql
[ -x "$PSQL" ] || PSQL=$(command -v psql) || fail "please install psql (apt-get install postgresql-client)"
PGPASSWORD=$(value postgres POSTGRES_PASSWORD); export PGPASSWORD
PORT=$(value postgres POSTGRES_PORT)
sql() { "$PSQL" -X -q -A -t -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$PORT" -U postgres "$@"; }

export Archiver__Sources__main__Policies__idle__Action=Archive Archiver__Sources__main__Policies__idle__IdleFor=90d
export Archiver__Storage__PathStyle=true Archiver__Storage__Bucket=roundtrip Archiver__Safety__MaxShare=1
Archiver__Storage__Endpoint=$(value rgw S3_ENDPOINT) Archiver__Storage__AccessKey=$(value rgw S3_ACCESS_KEY) Archiver__Storage__SecretKey=$(value rgw S3_SECRET_KEY)
export Archiver__Storage__Endpoint Archiver__Storage__AccessKey Archiver__Storage__SecretKey
archiver() {
  launch src/Worker/bin/Release/net10.0/archiver "$@" >"$WORK/step.out" 2>"$WORK/step.err"
  await || { cat "$WORK/step.out" "$WORK/step.err" >&2; fail "archiver $* failed (see above)"; }
}
# Rows in COPY form under settings that lose nothing. A line break between tokens of a json value comes back as a space (docs/format.md),
# and the sample of soft-delete has one.
tables() {
  local query
  for query in "SELECT * FROM $2 ORDER BY 1" "SELECT * FROM $3 ORDER BY id"; do
    PGOPTIONS='-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=1 -c bytea_output=hex' sql -d "$1" -c "COPY ($query) TO STDOUT"
  done | sed 's/"dark",\\n "zoom"/"dark",  "zoom"/g'
}
seconds() { sql -d "$1" -c "SELECT round(extract(epoch FROM ended_at - started_at), 2) FROM archiver.runs WHERE action = '$2' AND sessions_done > 0"; }

rc=0
printf '%-14s %-8s %10s %12s %12s %8s  %s\n' preset layout sessions archive/s restore/s ratio tables
for layout in Session Bundle; do
  for preset in ended-at last-accessed status-expiry soft-delete; do
    database=${preset//-/_}_${layout,,}
    case $preset in ended-at|soft-delete) parent=chat_sessions child=chat_messages;; *) parent=sessions child=messages;; esac
    sql -d postgres -c "CREATE DATABASE $database" || fail "PostgreSQL does not take a database"
    { printf "SET client_min_messages = warning; SET sample.idle = '%s'; SET sample.young = '10'; SET sample.messages = '20';\n" "$SESSIONS"
      cat "sql/schemas/$preset.sql" sql/samples/conversations.sql "sql/samples/$preset.sql"; } >"$WORK/sample.sql"
    sql -d "$database" -f "$WORK/sample.sql" >/dev/null || fail "the sample of $preset could not be created"
    export Archiver__Sources__main__ConnectionString="Host=127.0.0.1;Port=$PORT;Database=$database;Username=postgres;Password=$PGPASSWORD"
    export Archiver__Sources__main__Preset=$preset Archiver__Storage__Layout=$layout Archiver__Storage__Prefix=$database
    tables "$database" $parent $child >"$WORK/before"
    archiver archive
    [ "$(sql -d "$database" -c "SELECT count(*) FROM $parent")" = 10 ] || fail "$preset: not everything was archived"
    archiver restore --from 0001-01-01
    tables "$database" $parent $child >"$WORK/after"
    state=equal; cmp -s "$WORK/before" "$WORK/after" || { state=DIFFERENT; rc=1; }
    records=$(sql -d "$database" -c "SELECT md5(string_agg(a::text, ',' ORDER BY id)) FROM archiver.archives AS a")
    archiver restore --from 0001-01-01
    grep -q "done, $SESSIONS sessions there already, unchanged" "$WORK/step.out" || { state="$state, NOT SAID"; rc=1; }
    [ "$records" = "$(sql -d "$database" -c "SELECT md5(string_agg(a::text, ',' ORDER BY id)) FROM archiver.archives AS a")" ] || { state="$state, LEDGER CHANGED"; rc=1; }
    tables "$database" $parent $child | cmp -s "$WORK/after" - || { state="$state, CHANGED BY THE SECOND RESTORE"; rc=1; }
    a=$(seconds "$database" archive) r=$(seconds "$database" restore)
    printf '%-14s %-8s %10s %12.0f %12.0f %8.2f  %s\n' "$preset" "$layout" "$SESSIONS" $(awk "BEGIN { print $SESSIONS / $a, $SESSIONS / $r, $a / $r }") "$state"
    awk "BEGIN { exit !($a / $r < 1 / 3) }" && { echo "  slower than a third of archiving"; rc=1; }
    sql -d postgres -c "DROP DATABASE $database WITH (FORCE)"
  done
done
exit $rc
