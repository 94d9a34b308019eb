#!/bin/bash
# Measures the archiver against what it is promised to keep, on throw-away servers and generated chats.
#
#   bench/run.sh [--sessions N] [--rounds R] [--only NAME,NAME] [--archive-only] [--output FOLDER]
#                                        floor, plain script, Session, Bundle, store ceiling and restores in turns, on long and on short texts
#                                        (20000 sessions, 3 rounds)
#   bench/run.sh --long [--sessions N]   the executable on 10,000, N/4 and N sessions: time per session and memory (200000); how long plan takes
#   bench/run.sh --memory                a session of a million messages, a message of 200 MB (also: bench/memory.sh)
#
# Results go to bench/results/*.json and bench/RESULTS.md, or below another FOLDER. A quiet machine gives honest figures: nothing else may run.
# BENCH_ARCHIVER=FILE takes that executable instead of publishing one.
# BENCH_PERF=FILE records a profile of all programs with perf (see bench/README.md).
set -u
cd "$(dirname "$0")/.." || exit 1
case ${1:-} in -h|--help) sed -n '2,13s/^# \{0,1\}//p' bench/run.sh; exit 0;; esac
WORK_PREFIX=archiver-bench
. tests/Testing/servers/common.sh

LONG=; OUTPUT=$PWD/bench; SESSIONS=; ARGS=()
while [ $# -gt 0 ]; do
  case $1 in
    --long) LONG=1; ARGS+=("$1"); shift;;
    --output) OUTPUT=$(mkdir -p "${2:?}" && cd "$2" && pwd) || exit 2; shift 2;;
    --sessions) SESSIONS=${2:?}; ARGS+=("$1" "$2"); shift 2;;
    *) ARGS+=("$1"); shift;;
  esac
done
[ -z "$LONG" ] || [ -n "$SESSIONS" ] || ARGS+=(--sessions 200000)

[ -n "${BENCH_ARCHIVER:-}" ] || WITH_LINKER=1
install_servers
# As a database server would be set up, durable writes and all: only the sizes are not PostgreSQL's defaults, which are for a very small machine.
export PG_FSYNC=on
export PG_EXTRA=$'shared_buffers = 1GB\nmax_wal_size = 8GB\ncheckpoint_timeout = 30min\nwal_level = replica\ntimezone = UTC\ndatestyle = ISO'
start_server postgres; postgres=${PIDS[-1]}
start_server rgw; rgw=${PIDS[-1]}
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1
case $(uname -m) in aarch64) RUNTIME=linux-arm64;; *) RUNTIME=linux-x64;; esac
build() { launch dotnet "$@" -c Release -m:1 -v quiet -p:RestoreLockedMode=true -p:UseSharedCompilation=false >"$WORK/build.log" 2>&1; await || { tail -n 20 "$WORK/build.log" >&2; fail "dotnet $1 $2 failed (see above)"; }; }
# As the README says it.
[ -n "${BENCH_ARCHIVER:-}" ] || { build publish src/Worker -r "$RUNTIME" -o "$WORK/archiver"; BENCH_ARCHIVER=$WORK/archiver/archiver; }
build build bench/Bench
await_server postgres "$postgres"
await_server rgw "$rgw"
"$SERVERS/rgw.sh" make-bucket "$WORK/rgw" bench || fail "the S3 server does not take a bucket"
PSQL=$(value postgres POSTGRES_BIN)/psql
[ -x "$PSQL" ] || PSQL=$(command -v psql) || fail "please install psql (apt-get install postgresql-client)"
export BENCH_POSTGRES BENCH_PSQL=$PSQL BENCH_S3_ENDPOINT BENCH_S3_ACCESS_KEY BENCH_S3_SECRET_KEY BENCH_BUCKET=bench
export BENCH_ROOT=$PWD BENCH_ARCHIVER BENCH_POSTGRES_PID=$postgres BENCH_S3_PID=$rgw
BENCH_POSTGRES=$(value postgres POSTGRES_CONNECTION) BENCH_S3_ENDPOINT=$(value rgw S3_ENDPOINT)
BENCH_S3_ACCESS_KEY=$(value rgw S3_ACCESS_KEY) BENCH_S3_SECRET_KEY=$(value rgw S3_SECRET_KEY)
run=(bench/Bench/bin/Release/net10.0/bench ${ARGS[@]+"${ARGS[@]}"} --output "$OUTPUT")
if [ -n "${BENCH_PERF:-}" ]; then
  # Names for what the runtime compiles; perf finds them only where its memory is mapped once.
  export DOTNET_PerfMapEnabled=1 DOTNET_EnableWriteXorExecute=0
  run=(perf record -F 499 -a -g -o "$BENCH_PERF" -- "${run[@]}")
fi
launch "${run[@]}"
await
