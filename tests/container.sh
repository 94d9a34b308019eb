#!/bin/bash
# Builds the container image without any registry of images, and runs it as it should be run: as a user other than root, on a read-only
# root file system, without capabilities, against a real PostgreSQL and a real S3 gateway. It archives, restores, serves and stops.
# For Debian as root; about five minutes and 5 GB, most of it for the base images. Not a part of ./test.sh. Ends with `container: passed`.
#
# The base images are made here where no registry gives them (tests/Testing/servers/docker.sh). An engine that runs is used; else one is started for
# this alone, with its own socket and data, and ended with everything in it.
set -u
cd "$(dirname "$0")/.." || exit 1
WORK_PREFIX=archiver-container
finish_more() {
  docker rm --force "$WORKER" >/dev/null 2>&1
  docker_end
}
. tests/Testing/servers/common.sh
. tests/Testing/servers/docker.sh
WORKER=archiver-container-$$

step() { say "$*"; }
check() { # WHAT ACTUAL EXPECTED
  [ "$2" = "$3" ] || fail "$1: expected '$3', but got '$2'"
  say "  $1: $2"
}

install_docker
install_servers
start_server postgres; POSTGRES_PID=${PIDS[-1]}
start_server rgw; RGW_PID=${PIDS[-1]}

start_docker
base_image "$SDK_IMAGE" "$RUNTIME_IMAGE"

step "building the image with the Dockerfile as it is"
docker build --tag archiver . >"$WORK/build.log" 2>&1 || { tail -n 30 "$WORK/build.log" >&2; fail "docker build failed"; }
check "user of the image" "$(docker image inspect archiver --format '{{.Config.User}}')" 1654

await_server postgres "$POSTGRES_PID"; await_server rgw "$RGW_PID"
POSTGRES=$(value postgres POSTGRES_CONNECTION); S3=$(value rgw S3_ENDPOINT)
S3_ACCESS=$(value rgw S3_ACCESS_KEY); S3_SECRET=$(value rgw S3_SECRET_KEY)
step "a chat database and a bucket"
field() { sed -nE "s/.*(^|;)$1=([^;]*).*/\2/Ip" <<<"$POSTGRES"; }
export PGHOST PGPORT PGUSER PGPASSWORD PGDATABASE=postgres
PGHOST=$(field Host) PGPORT=$(field Port) PGUSER=$(field Username) PGPASSWORD=$(field Password)
PSQL=$(ls -d /usr/lib/postgresql/*/bin/psql | tail -n 1)
sql() { "$PSQL" -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }
sql -c 'CREATE DATABASE chat' || fail "no database"
PGDATABASE=chat
sql -f sql/schemas/ended-at.sql >/dev/null 2>&1 || fail "the schema does not install"
sql >/dev/null <<'SQL' || fail "no sample data"
INSERT INTO chat_sessions (session_id, user_id, last_activity)
SELECT gen_random_uuid(), 'user-' || n % 7, now() - CASE WHEN n <= 300 THEN interval '200 days' ELSE interval '1 day' END FROM generate_series(1, 400) AS n;
INSERT INTO chat_messages (session_id, role, content, timestamp)
SELECT s.session_id, CASE WHEN n % 2 = 1 THEN 'user' ELSE 'assistant' END, 'message ' || n, s.last_activity FROM chat_sessions AS s CROSS JOIN generate_series(1, 5) AS n;
SQL
python3 - "$S3" "$S3_ACCESS" "$S3_SECRET" <<'PY' || fail "no bucket"
import sys, hmac, hashlib, base64, email.utils, urllib.request
endpoint, key, secret = sys.argv[1:]
date = email.utils.formatdate(usegmt=True)
signature = base64.b64encode(hmac.new(secret.encode(), f"PUT\n\n\n{date}\n/archives".encode(), hashlib.sha1).digest()).decode()
urllib.request.urlopen(urllib.request.Request(endpoint.rstrip("/") + "/archives", method="PUT", headers={"Date": date, "Authorization": f"AWS {key}:{signature}"}))
PY

PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
KEY=$(head -c 24 /dev/urandom | base64 | tr -d '+/=')
HARDENED=(--network host --read-only --tmpfs "/tmp:size=256m" --cap-drop ALL --security-opt no-new-privileges
  --env "Archiver__Sources__main__ConnectionString=$POSTGRES;Database=chat" --env Archiver__Sources__main__Preset=ended-at
  --env Archiver__Sources__main__Policies__idle__Action=Archive --env Archiver__Sources__main__Policies__idle__IdleFor=90d
  --env "Archiver__Sources__main__Policies__idle__Cron=0 0 2 1 1 ?" --env Archiver__Safety__MaxShare=1
  --env "Archiver__Storage__Endpoint=$S3" --env Archiver__Storage__PathStyle=true --env Archiver__Storage__Bucket=archives
  --env "Archiver__Storage__AccessKey=$S3_ACCESS" --env "Archiver__Storage__SecretKey=$S3_SECRET"
  --env "Archiver__Http__Urls=http://127.0.0.1:$PORT" --env "Archiver__Http__ApiKey=$KEY")
http() { curl --silent --show-error --max-time 60 --header "Authorization: Bearer $KEY" "$@"; }

step "one command: archive 100, and the manual trigger by environment"
docker run --rm "${HARDENED[@]}" archiver archive --max-sessions 100 >"$WORK/archive.log" 2>&1 || { cat "$WORK/archive.log" >&2; fail "archive failed"; }
check "sessions left" "$(sql -c 'SELECT count(*) FROM chat_sessions')" 300
docker run --rm "${HARDENED[@]}" --env ARCHIVER_TRIGGER=archive archiver >"$WORK/trigger.log" 2>&1; check "exit code of the trigger" $? 0
check "sessions left" "$(sql -c 'SELECT count(*) FROM chat_sessions')" 100
ID=$(sql -c 'SELECT min(session_id) FROM archiver.archives')
docker run --rm "${HARDENED[@]}" archiver restore "$ID" >"$WORK/restore.log" 2>&1 || { cat "$WORK/restore.log" >&2; fail "restore failed"; }
check "sessions left" "$(sql -c 'SELECT count(*) FROM chat_sessions')" 101

step "the always-on worker"
# The image's own check, which follows Http:Urls to the free port.
docker run --detach --name "$WORKER" --health-interval 1s "${HARDENED[@]}" archiver >/dev/null || fail "the worker does not start"
for _ in $(seq 300); do [ "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$PORT/health/ready")" = 200 ] && break; sleep .2; done
check "ready" "$(curl -s "http://127.0.0.1:$PORT/health/ready")" '{"status":"ready"}'
PROCESS=$(docker inspect "$WORKER" --format '{{.State.Pid}}')
check "user of the process" "$(awk '/^Uid:/ { print $2 }' "/proc/$PROCESS/status")" 1654
check "capabilities of the process" "$(awk '/^CapEff:/ { print $2 }' "/proc/$PROCESS/status")" 0000000000000000
check "root file system" "$(awk '$5 == "/" { print substr($6, 1, 2) }' "/proc/$PROCESS/mountinfo")" ro
ID=$(sql -c "SELECT max(session_id) FROM archiver.archives WHERE state = 'archived'")
check "restore over HTTP" "$(http --output /dev/null --write-out '%{http_code}' --request POST "http://127.0.0.1:$PORT/archives/$ID/restore")" 200
check "sessions left" "$(sql -c 'SELECT count(*) FROM chat_sessions')" 102
check "messages of the restored session" "$(sql -c "SELECT count(*) FROM chat_messages WHERE session_id = '$ID'")" 5
check "status page" "$(http --output /dev/null --write-out '%{http_code}' "http://127.0.0.1:$PORT/")" 200
for _ in $(seq 100); do [ "$(docker inspect "$WORKER" --format '{{.State.Health.Status}}')" = healthy ] && break; sleep .2; done
[ "$(docker inspect "$WORKER" --format '{{.State.Health.Status}}')" = healthy ] || docker inspect "$WORKER" --format '{{json .State.Health.Log}}' >&2
check "health of the container" "$(docker inspect "$WORKER" --format '{{.State.Health.Status}}')" healthy
resident() { awk '/^VmRSS:/ { print int($2 / 1024) }' "/proc/$PROCESS/status"; }
say "  resident memory after that: $(resident) MiB"
[ "$(resident)" -lt 143 ] || fail "the idle worker holds $(resident) MiB, 150 MB and more"

step "a run of 3000 sessions in it, and the memory that it holds at rest"
sql >/dev/null <<'SQL' || fail "no more sample data"
INSERT INTO chat_sessions (session_id, user_id, last_activity) SELECT gen_random_uuid(), 'user-' || n % 7, now() - interval '200 days' FROM generate_series(1, 3000) AS n;
INSERT INTO chat_messages (session_id, role, content, timestamp)
SELECT s.session_id, 'user', repeat('message ' || n || ' ', 20), s.last_activity FROM chat_sessions AS s CROSS JOIN generate_series(1, 20) AS n WHERE s.last_activity < now() - interval '90 days';
SQL
check "start of a run" "$(http --output /dev/null --write-out '%{http_code}' --request POST --header 'Content-Type: application/json' --data '{"policy": "main/idle"}' "http://127.0.0.1:$PORT/runs")" 202
for _ in $(seq 600); do [ "$(sql -c 'SELECT state FROM archiver.runs ORDER BY started_at DESC LIMIT 1')" = done ] && [ "$(sql -c 'SELECT count(*) FROM chat_sessions')" = 102 ] && break; sleep .5; done
check "sessions left" "$(sql -c 'SELECT count(*) FROM chat_sessions')" 102
say "  resident memory just after the run: $(resident) MiB"
check "libdeflate in the process" "$(grep -c -m 1 'libdeflate\.so' "/proc/$PROCESS/maps")" 1
# It notices a quiet minute, and the runtime's pools let go a minute later. What stays above the figure before is compiled code.
for _ in $(seq 45); do [ "$(resident)" -lt 143 ] && break; sleep 5; done
AFTER=$(resident)
say "  resident memory at rest: $AFTER MiB"
[ "$AFTER" -lt 153 ] || fail "the worker holds $AFTER MiB long after its run, 160 MB and more"
docker stop --time 40 "$WORKER" >/dev/null
check "exit code after SIGTERM" "$(docker inspect "$WORKER" --format '{{.State.ExitCode}}')" 0
check "changes to the file system" "$(docker diff "$WORKER")" ""
say "image: $(docker image inspect archiver --format '{{.Size}}') bytes, of which the base has $(docker image inspect $RUNTIME_IMAGE --format '{{.Size}}')"
echo "container: passed"
