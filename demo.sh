#!/bin/bash
# Shows the archiver at work on a throw-away chat database and a throw-away S3 server, and removes everything at the end.
#
#   ./demo.sh            on Debian with the .NET SDK: real PostgreSQL and Ceph's S3 gateway, installed if missing (root or sudo);
#                        elsewhere, with a working Docker engine, the same through docker-compose.yml
#   ./demo.sh --docker   through docker-compose.yml in any case
#
# ARCHIVER_DEMO_IDLE and ARCHIVER_DEMO_YOUNG set how many sessions there are (2000 and 1000).
set -u
cd "$(dirname "$0")" || exit 1
IDLE=${ARCHIVER_DEMO_IDLE:-2000} YOUNG=${ARCHIVER_DEMO_YOUNG:-1000}
MODE=native
case ${1:-} in
  '') ;;
  --docker) MODE=docker;;
  *) sed -n '2,8s/^# \{0,1\}//p' "$0"; [[ $1 == -h || $1 == --help ]] && exit 0; exit 2;;
esac
[[ $IDLE =~ ^[1-9][0-9]{0,5}$ && $YOUNG =~ ^[1-9][0-9]{0,5}$ ]] || { echo "demo.sh: ARCHIVER_DEMO_IDLE and ARCHIVER_DEMO_YOUNG are numbers above 0" >&2; exit 2; }
WORK_PREFIX=archiver-demo
finish_more() { [ -z "${COMPOSED:-}" ] || compose down --volumes --remove-orphans --timeout 5 >/dev/null 2>&1; [ -z "${BEGUN:-}" ] || echo "Servers, database and bucket of this demo are removed." >&2; }
. tests/Testing/servers/common.sh

BOLD='' PLAIN=''; [ ! -t 1 ] || { BOLD=$'\e[1m' PLAIN=$'\e[0m'; }
heading() { printf '\n%s%s%s\n' "$BOLD" "$*" "$PLAIN"; }
indent() { sed "s/^/  /"; }
quietly() { "$@" >"$WORK/step.log" 2>&1 || { tail -n 20 "$WORK/step.log" >&2; return 1; }; }

has_sdk() { command -v dotnet >/dev/null && dotnet --version >/dev/null 2>&1; }
has_docker() { command -v docker >/dev/null && docker info >/dev/null 2>&1 && docker compose version >/dev/null 2>&1; }
can_serve() { [ -z "$(missing_packages)" ] || { command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || command -v sudo >/dev/null; }; }; }

if [ $MODE = docker ]; then
  has_docker || fail "there is no working Docker engine with the compose plugin here (try: docker info; docker compose version)"
elif ! has_sdk; then
  has_docker || fail "please install the .NET 10 SDK (https://dot.net/download), or Docker with its compose plugin"
  MODE=docker
elif ! can_serve; then
  has_docker || fail "please install as root: apt-get install --no-install-recommends $(missing_packages | tr '\n' ' ')(or install Docker with its compose plugin)"
  MODE=docker
fi

# ---- with the .NET SDK: servers of tests/Testing/servers, the archiver built from this folder -------------------------

native_up() {
  install_servers
  BEGUN=1
  start_server postgres; local postgres=${PIDS[-1]}
  start_server rgw; local rgw=${PIDS[-1]}
  export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1
  # MSBuild reports on stdout.
  launch dotnet build src/Worker -m:1 -v quiet -p:RestoreLockedMode=true -p:UseSharedCompilation=false >"$WORK/step.log" 2>&1
  await || { tail -n 20 "$WORK/step.log" >&2; fail "the archiver does not build (see above)"; }
  await_server postgres "$postgres"
  await_server rgw "$rgw"
  "$SERVERS/rgw.sh" make-bucket "$WORK/rgw" demo || fail "the S3 server does not take a bucket"
  PSQL=$(value postgres POSTGRES_BIN)/psql
  [ -x "$PSQL" ] || PSQL=$(command -v psql) || fail "please install psql (apt-get install postgresql-client)"
  PGPASSWORD=$(value postgres POSTGRES_PASSWORD); export PGPASSWORD
  PORT=$(value postgres POSTGRES_PORT)
  say_servers="PostgreSQL $("$PSQL" -X -A -t -h 127.0.0.1 -p "$PORT" -U postgres -c 'SHOW server_version' | cut -d' ' -f1) on 127.0.0.1:$PORT, S3 (Ceph RADOS Gateway) on $(value rgw S3_ENDPOINT), only for this demo"
  quietly "$PSQL" -X -h 127.0.0.1 -p "$PORT" -U postgres -c 'CREATE DATABASE chat' || fail "PostgreSQL does not take a database (see above)"
}
native_psql() { "$PSQL" -X -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$PORT" -U postgres -d chat "$@"; }
native_configure() {
  local password; password=$(tr -d - </proc/sys/kernel/random/uuid)
  native_psql -c "ALTER ROLE archiver PASSWORD '$password'" || return
  (umask 077; cat >"$WORK/demo.json" <<C
{
  "Archiver": {
    "Sources": {
      "main": {
        "ConnectionString": "Host=127.0.0.1;Port=$PORT;Database=chat;Username=archiver;Password=$password",
        "Preset": "ended-at",
        "Keep": ["session_title"],
        "Policies": { "idle": { "Action": "Archive", "IdleFor": "90d" } }
      }
    },
    "Storage": {
      "Endpoint": "$(value rgw S3_ENDPOINT)", "PathStyle": true, "Bucket": "demo",
      "AccessKey": "$(value rgw S3_ACCESS_KEY)", "SecretKey": "$(value rgw S3_SECRET_KEY)"
    },
    "Batch": { "Sessions": 250 },
    "Safety": { "MaxShare": 1 }
  }
}
C
  )
}
# With a progress bar where somebody watches; else the log goes to a file, which is shown when something fails.
native_archiver() {
  local rc log=/dev/stderr; [ -t 2 ] || log=$WORK/archiver.log
  launch src/Worker/bin/Debug/net10.0/archiver --config "$WORK/demo.json" "$@" 2>"$log"
  await; rc=$?
  [ $rc = 0 ] || [ -t 2 ] || tail -n 20 "$WORK/archiver.log" >&2
  return $rc
}

# ---- with Docker: docker-compose.yml under a project name of its own --------------------------------------------------

export COMPOSE_PROJECT_NAME=archiver-demo-$$ COMPOSE_PROGRESS=quiet
compose() { docker compose --file docker-compose.yml "$@"; }
launch_compose() { launch docker compose --file docker-compose.yml "$@" >"$WORK/step.log" 2>&1; await; }
docker_up() {
  BEGUN=1 COMPOSED=1
  # The demo adds the sample data itself; no fixed ports, so that another copy may run.
  export ARCHIVER_SAMPLE_IDLE=0 ARCHIVER_SAMPLE_YOUNG=0 ARCHIVER_POSTGRES_PORT='' ARCHIVER_S3_PORT='' ARCHIVER_HTTP_PORT=''
  echo "  Getting and building the images takes minutes the first time."
  launch_compose build --quiet archiver s3 && launch_compose up --detach --wait --wait-timeout 300 postgres s3 ||
    { tail -n 20 "$WORK/step.log" >&2; fail "docker compose could not start the servers (see above)"; }
  say_servers="PostgreSQL and S3 (Ceph RADOS Gateway) in containers, only for this demo"
}
docker_psql() { compose exec -T postgres psql -X -q -v ON_ERROR_STOP=1 -U postgres -d chat "$@"; }
docker_configure() { :; }   # docker-compose.yml holds the configuration, and its sample data the role and its password
docker_archiver() {
  local rc
  launch docker compose --file docker-compose.yml run --rm --no-deps -T archiver "$@" 2>"$WORK/step.log"
  await; rc=$?
  [ $rc = 0 ] || tail -n 20 "$WORK/step.log" >&2
  return $rc
}

up() { "${MODE}_up"; }
chat() { "${MODE}_psql" "$@"; }
archiver() { "${MODE}_archiver" "$@"; }
# Files reach psql by its standard input: a container does not see this folder.
sql() { cat "$@" | chat -f - >/dev/null; }
one() { chat -A -t -F ' ' -c "$1"; }
counts() {
  one "SELECT count(*) FILTER (WHERE last_activity < now() - interval '90 days'), count(*) FILTER (WHERE last_activity >= now() - interval '90 days') FROM chat_sessions"
  one "SELECT count(*), coalesce(md5(string_agg(m::text, ',' ORDER BY m.id) FILTER (WHERE s.last_activity >= now() - interval '90 days')), '-') FROM chat_messages m JOIN chat_sessions s USING (session_id)"
}

echo "${BOLD}Archiver demo${PLAIN}: a chat database, an S3 server, and the archiver between them. All of it is removed at the end."

heading "1. Servers"
up
echo "  $say_servers"

heading "2. A chat application's database"
{ printf "SET client_min_messages = warning; SET sample.idle = '%s'; SET sample.young = '%s'; SET sample.messages = '20'; SET archiver.restore = on;\n" "$IDLE" "$YOUNG"
  cat sql/schemas/ended-at.sql sql/samples/conversations.sql sql/samples/ended-at.sql sql/roles.sql; } >"$WORK/sample.sql"
sql "$WORK/sample.sql" && "${MODE}_configure" || fail "the sample data could not be created (see above)"
archiver migrate >"$WORK/migrate.out" || fail "archiver migrate failed (see above)"
{ read -r idle young; read -r messages fingerprint; } < <(counts)
echo "  $((idle + young)) sessions with $messages messages; $idle sessions have not been touched for 90 days"

heading "3. What would be archived?    archiver plan"
archiver plan --sessions 3 >"$WORK/plan.out" || fail "archiver plan failed (see above)"
indent <"$WORK/plan.out"

heading "4. Archive it    archiver archive"
echo "  Each session: export, upload, read back and compare, and only then delete its rows."
archiver archive >"$WORK/archive.out" || { indent <"$WORK/archive.out"; fail "archiver archive failed (see above)"; }
grep -v ' of .* sessions\?$' "$WORK/archive.out" | indent
one "SELECT format('%s sessions a second', round(r.sessions_done / extract(epoch FROM r.ended_at - r.started_at))) FROM archiver.runs AS r WHERE r.sessions_done > 0 ORDER BY r.started_at DESC LIMIT 1" | indent

heading "5. Where is it?    SELECT ... FROM archiver.archived_sessions"
one "SELECT a.location || '/' || a.key FROM archiver.archived_sessions AS a ORDER BY a.session_last_activity LIMIT 3" | indent
echo "  and $((idle - 3 > 0 ? idle - 3 : 0)) more"

id=$(one "SELECT a.session_id FROM archiver.archived_sessions AS a ORDER BY a.session_last_activity LIMIT 1")
heading "6. One conversation, read from the bucket    archiver show $id"
archiver show "$id" >"$WORK/document.json" || fail "archiver show failed (see above)"
# The document is valid JSON whatever the messages hold; psql makes it readable and needs nothing else installed.
{ printf "SET TimeZone = 'UTC';\nSELECT d.body->'session'->>'session_title', jsonb_array_length(d.body->'messages'), m.text FROM (SELECT convert_from(decode('"
  base64 -w 0 <"$WORK/document.json"
  cat <<'Q'
', 'base64'), 'UTF8')::jsonb AS body) AS d,
LATERAL (SELECT string_agg(format(E'%s  %s\n%s', to_char((x.m->>'timestamp')::timestamptz, 'YYYY-MM-DD HH24:MI'), x.m->>'role', x.m->>'content'), E'\n' ORDER BY x.n)
         FROM jsonb_array_elements(d.body->'messages') WITH ORDINALITY AS x (m, n) WHERE x.n <= 4) AS m (text)
Q
} | chat -A -t -F $'\n' -f - >"$WORK/conversation.txt" || fail "the document is not what was expected (see above)"
{ read -r title; read -r total; printf '"%s", %s messages\n' "$title" "$total"; fold -s -w 96 | sed "/^20[0-9-]* [0-9:]*  [a-z]*$/! s/^/    /"; echo "..."; } <"$WORK/conversation.txt" | indent

heading "7. Is it gone from the database, and only that?"
{ read -r idle_after young_after; read -r messages_after fingerprint_after; } < <(counts)
printf '  %-34s %10s %10s\n' "" before after "idle sessions" "$idle" "$idle_after" "young sessions" "$young" "$young_after" messages "$messages" "$messages_after"
[ "$idle_after" = 0 ] && [ "$young_after" = "$young" ] || fail "the counts are not as they should be"
[ "$fingerprint_after" = "$fingerprint" ] || fail "young messages have changed"
echo "  The messages of young sessions are the same to the byte (md5 $fingerprint)."

heading "8. And back again    archiver restore $id --reactivate"
archiver restore "$id" --reactivate >"$WORK/restore.out" || { indent <"$WORK/restore.out"; fail "archiver restore failed (see above)"; }
grep ': done' "$WORK/restore.out" | indent
live=$(one "SELECT format('%s|\"%s\" is live again: %s messages, last active %s', count(m.*), s.session_title, count(m.*), to_char(s.last_activity, 'YYYY-MM-DD')) FROM chat_sessions s JOIN chat_messages m USING (session_id) WHERE s.session_id = '$id' GROUP BY s.session_id")
total=$(sed -n 2p "$WORK/conversation.txt")
[ "${live%%|*}" = "$total" ] || fail "the restored session does not have its $total messages"
echo "${live#*|}" | indent

printf '\nNext: README.md has a first configuration for a database of your own.\n'
