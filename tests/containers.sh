#!/bin/bash
# Runs what needs Docker as its users would: docker-compose.yml as its head says, the release archive where there is no .NET, demo.sh through Docker,
# and tests/Containers.Tests.
# What happened goes to stdout. Ends with `containers: passed`. Not a part of ./test.sh.
#
# For Debian as root; elsewhere with a Docker engine that runs. Base images that no registry gives are made here, under their real names
# (tests/Testing/servers/docker.sh): about ten minutes and 6 GB then. ARCHIVER_TEST_ROOTS names a folder that keeps the costly part.
set -u
cd "$(dirname "$0")/.." || exit 1
WORK_PREFIX=archiver-containers
finish_more() {
  [ -z "${COMPOSED:-}" ] || compose down --volumes --remove-orphans --timeout 5 >/dev/null 2>&1
  docker_end
}
. tests/Testing/servers/common.sh
. tests/Testing/servers/docker.sh

heading() { printf '\n## %s\n' "$*"; say "$SECONDS s: $*"; }
shown() { printf '$ %s\n' "$*"; "$@" 2>>"$WORK/step.log" || { tail -n 30 "$WORK/step.log" >&2; fail "failed: $*"; }; }
check() { # WHAT ACTUAL EXPECTED
  [ "$2" = "$3" ] || fail "$1: expected '$3', but got '$2'"
  echo "$1: $2"
}
# Images are large and the same every time; networks and volumes of this run are its own.
export COMPOSE_PROJECT_NAME=archiver-containers-$$ COMPOSE_PROGRESS=quiet
export ARCHIVER_POSTGRES_PORT='' ARCHIVER_S3_PORT='' ARCHIVER_HTTP_PORT='' ARCHIVER_SAMPLE_IDLE=${ARCHIVER_SAMPLE_IDLE:-500} ARCHIVER_SAMPLE_YOUNG=${ARCHIVER_SAMPLE_YOUNG:-200}
compose() { docker compose "$@"; }
archiver() { compose run --rm -T archiver "$@"; }
sql() { compose exec -T postgres psql -X -q -A -t -U postgres -d chat -c "$1"; }
status() { curl --silent --output "$WORK/body" --write-out '%{http_code}' --max-time 60 "$@"; }

install_docker
start_docker
base_image "$DEBIAN_IMAGE" "$SDK_IMAGE" "$RUNTIME_IMAGE" "$POSTGRES_IMAGE"
COMPOSED=1

heading "docker compose up --build --detach --wait"
# What a build prints differs from run to run.
compose build >"$WORK/step.log" 2>&1 || { tail -n 30 "$WORK/step.log" >&2; fail "the images do not build"; }
shown compose up --detach --wait --wait-timeout 300
compose ps --format '{{.Service}}: {{.State}}, {{.Health}}' | sort
page=http://$(compose port archiver 8080)/
check "the page without a password" "$(status "$page")" 401
check "the page with the password" "$(status --user me:only-for-this-machine "$page")" 200
grep -q '<title>' "$WORK/body" || fail "the page is no page"
check "ready" "$(status "${page}health/ready")" 200
check "sessions in the chat database" "$(sql 'SELECT count(*) FROM chat_sessions')" $((ARCHIVER_SAMPLE_IDLE + ARCHIVER_SAMPLE_YOUNG))
shown archiver plan --sessions 3
shown archiver archive
check "sessions left" "$(sql 'SELECT count(*) FROM chat_sessions')" "$ARCHIVER_SAMPLE_YOUNG"
id=$(sql "SELECT min(session_id) FROM archiver.archived_sessions")
archiver show "$id" >"$WORK/document.json" 2>>"$WORK/step.log" || fail "show failed"
check "a document's first letters" "$(head -c 31 "$WORK/document.json")" '{"format":"archiver.session/1",'
check "the archived conversation on the page" "$(status --user me:only-for-this-machine "${page}transcript?source=main&id=$id")" 200

heading "the S3 server is stopped and started, and killed: nothing is lost"
compose stop s3 2>>"$WORK/step.log"; compose start s3 2>>"$WORK/step.log"
compose kill s3 2>>"$WORK/step.log"; shown compose up --detach --wait --wait-timeout 120 s3
shown archiver verify --all

heading "the worker stops on request"
compose stop archiver 2>>"$WORK/step.log"
check "exit code" "$(docker inspect --format '{{.State.ExitCode}}' "$(compose ps --all --quiet archiver)")" 0
compose down --volumes --remove-orphans 2>>"$WORK/step.log"; COMPOSED=

heading "the release archive on a Debian without .NET"
./release.sh archives >"$WORK/step.log" 2>&1 || { tail -n 20 "$WORK/step.log" >&2; fail "release.sh failed"; }
(cd artifacts/release && sha256sum --check --quiet SHA256SUMS) || fail "the checksums are not those of the files"
mkdir "$WORK/release"
tar -xzf artifacts/release/archiver-*-linux-"$(uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/')".tar.gz -C "$WORK/release" --strip-components 1
COMPOSED=1
compose up --detach --wait --wait-timeout 300 postgres s3 2>>"$WORK/step.log" || fail "the servers do not start again"
cat >"$WORK/release/appsettings.json" <<'J'
{
  "Archiver": {
    "Sources": {
      "main": {
        "ConnectionString": "Host=postgres;Database=chat;Username=archiver;Password=only-for-this-machine",
        "Preset": "ended-at",
        "Policies": { "idle": { "Action": "Archive", "IdleFor": "90d" } }
      }
    },
    "Storage": { "Endpoint": "http://s3:8000", "PathStyle": true, "Bucket": "archives", "AccessKey": "archiver", "SecretKey": "only-for-this-machine" },
    "Safety": { "MaxShare": 1 }
  }
}
J
chmod -R go+rX "$WORK/release"
# The image of the S3 server is a Debian with OpenSSL and without .NET.
plain() { docker run --rm --network "${COMPOSE_PROJECT_NAME}_default" --volume "$WORK/release:/opt/archiver:ro" --workdir /opt/archiver --entrypoint "$1" archiver-s3 "${@:2}"; }
check "dotnet on it" "$(plain sh -c 'command -v dotnet || echo none')" none
check "version" "$(plain ./archiver --version)" "$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' Directory.Build.props)"
shown plain ./archiver migrate
shown plain ./archiver archive
check "sessions left" "$(sql 'SELECT count(*) FROM chat_sessions')" "$ARCHIVER_SAMPLE_YOUNG"
compose down --volumes --remove-orphans 2>>"$WORK/step.log"; COMPOSED=

heading "./demo.sh --docker"
shown env ARCHIVER_DEMO_IDLE=500 ARCHIVER_DEMO_YOUNG=200 ./demo.sh --docker

heading "tests/Containers.Tests"
export ARCHIVER_S3_IMAGE=archiver-s3 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1
# Debian 12's engine speaks no later version than 1.41, Testcontainers no earlier one unless it is told.
DOCKER_API_VERSION=$(printf '%s\n' 1.44 "$(docker version --format '{{.Server.APIVersion}}')" | sort -V | head -n 1); export DOCKER_API_VERSION
# Its own helper container comes from a registry; this script removes what is left instead.
export TESTCONTAINERS_RYUK_DISABLED=true
shown dotnet test --project tests/Containers.Tests --no-ansi --no-progress

heading "images"
docker image inspect archiver archiver-s3 --format '{{index .RepoTags 0}}: {{.Architecture}}, user {{.Config.User}}, {{.Size}} bytes'
echo "containers: passed"
