#!/bin/bash
# Builds everything and runs every test against one real PostgreSQL and one real S3 gateway, started for this run.
# Ends with a line `N passed, N failed`. Arguments go to `dotnet test`: ./test.sh --filter-class '*TestBucketTests'
# On Debian it installs the servers and programs it misses, as root or with sudo. CONTRIBUTING.md has the variables that replace them.
set -u
cd "$(dirname "$0")" || exit 1
fail() { say "$*"; echo "0 passed, 1 failed"; exit 1; }
WORK_PREFIX=archiver-test-run
# In memory where there is plenty: hundreds of databases come and go, and a disk's file system spends more time on that than the server does.
if [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ] && [ "$(df --output=avail -k /dev/shm | tail -n 1)" -gt 8000000 ] &&
  [ "$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)" -gt 8000000 ]; then WORK_BASE=/dev/shm; fi
WITH_TOOLS=1 WITH_LINKER=1
. tests/Testing/servers/common.sh

# Programs of others that read archives, a browser for the pages, the README's jq and a Prometheus for the metrics; only the tests need them, so the demo
# does not install them.
missing_more() {
  command -v node >/dev/null && command -v npm >/dev/null || { echo nodejs; echo npm; }
  command -v python3 >/dev/null || echo python3
  command -v jq >/dev/null || echo jq
  [ -x /usr/bin/chromium ] || echo chromium
  [ -x /usr/bin/promtool ] || echo prometheus
}
install_readers() {
  local readers=tests/Testing/readers
  cmp -s $readers/package-lock.json $readers/node_modules/.installed && return
  # Not fatal: the tests that need it say what is missing, and fail in CI.
  npm ci --prefix $readers --prefer-offline --no-audit --no-fund --ignore-scripts >"$WORK/npm.log" 2>&1 </dev/null &&
    cp $readers/package-lock.json $readers/node_modules/.installed || { tail -n 3 "$WORK/npm.log" >&2; say "npm ci in $readers failed (see above)"; }
}

# Without it, such as without a network, tests start the build itself.
precompile() {
  echo $$ >"$ARCHIVER_TEST_PRECOMPILING"
  # It goes before the tests where that is allowed, because tests wait for it. The kernel shares time out by session, and each process of the database has
  # one of its own. So this session goes first; nice alone changes nothing between sessions.
  { echo -10 >/proc/self/autogroup; } 2>/dev/null
  nice -n -10 tests/precompile.sh >"$WORK/precompile.log" 2>&1 ||
    { tail -n 5 "$WORK/precompile.log" >&2; say "tests/precompile.sh failed (see above); the tests start the build instead"; }
  rm -f "$ARCHIVER_TEST_PRECOMPILING"
}

install_servers
# While all is built: a registry may take its time.
beside install_readers; READERS=${BESIDE[-1]}
# For the shared server and for those that tests start for themselves. Without it each runs initdb.
PG_PREPARED=$WORK/prepared
if "$SERVERS/postgres.sh" prepare "$PG_PREPARED" 2>"$WORK/prepare.err"; then export PG_PREPARED; else unset PG_PREPARED; fi
# Hundreds of databases come and go, and each visit of the vacuum is a process.
[ -n "${ARCHIVER_TEST_POSTGRES:-}" ] || { PG_EXTRA="autovacuum_naptime = 10min" start_server postgres; POSTGRES_PID=${PIDS[-1]}; }
[ -n "${ARCHIVER_TEST_S3_ENDPOINT:-}" ] || { start_server rgw; RGW_PID=${PIDS[-1]}; }

# No build server stays behind.
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1
# For the workers that tests start, as for the tests (tests/Directory.Build.targets).
export DOTNET_TieredPGO=0
build() { # PROJECT...: restores by the lock files and builds, warnings as errors
  launch dotnet restore --locked-mode -v quiet "$@"; await || fail "restore failed: do the lock files match the projects?"
  compile dotnet build --no-restore -v quiet "${SHARED_COMPILER[@]}" "$@" || fail "the build failed"
}
build
# Needs Docker to run, so nothing else here would see it rot.
[ -z "${CI:-}" ] || build tests/Containers.Tests
# Some hundred processes are started in a whole run, natively compiled as they are published; for a class or two that would not pay. It goes on beside the
# tests, of which those that start a process wait for it (ArchiverExecutable.cs).
if [ $# = 0 ]; then
  export ARCHIVER_TEST_PRECOMPILING=$WORK/precompiling
  : >"$ARCHIVER_TEST_PRECOMPILING"
  beside precompile
fi

if [ -n "${POSTGRES_PID:-}" ]; then
  await_server postgres "$POSTGRES_PID"
  export ARCHIVER_TEST_POSTGRES; ARCHIVER_TEST_POSTGRES=$(value postgres POSTGRES_CONNECTION)
fi
if [ -n "${RGW_PID:-}" ]; then
  await_server rgw "$RGW_PID"
  export ARCHIVER_TEST_S3_ENDPOINT ARCHIVER_TEST_S3_ACCESS_KEY ARCHIVER_TEST_S3_SECRET_KEY ARCHIVER_TEST_RGW_DIR=$WORK/rgw
  ARCHIVER_TEST_S3_ENDPOINT=$(value rgw S3_ENDPOINT)
  ARCHIVER_TEST_S3_ACCESS_KEY=$(value rgw S3_ACCESS_KEY) ARCHIVER_TEST_S3_SECRET_KEY=$(value rgw S3_SECRET_KEY)
fi

wait "$READERS"
# A filter may leave some projects without tests; without one every project must have some.
some=(); [ $# = 0 ] || some=(--ignore-exit-code 8)
log=$WORK/tests.log; : >"$log"
export ARCHIVER_TEST_PROGRESS=$WORK/progress
mkdir "$ARCHIVER_TEST_PROGRESS"
sum_up() { cat "$ARCHIVER_TEST_PROGRESS"/* 2>/dev/null | awk -f tests/Testing/Progress/progress.awk "$@"; }
say "built in $SECONDS s; the tests run"
began=$SECONDS
# A shell that runs this in the background ignores Ctrl-C, and so would every worker whose Ctrl-C is tested.
launch env --default-signal=INT,QUIT dotnet test --no-build --no-ansi --no-progress "$@" ${some[@]+"${some[@]}"} >"$log" 2>&1
tail -n +1 -s .2 -f --pid="$STEP" "$log" & show=$!
while timeout 10 tail -s .2 -f --pid="$STEP" /dev/null; [ $? = 124 ]; do say "$((SECONDS - began)) s: $(sum_up)"; done & ticks=$!
await; rc=$?
wait "$show" "$ticks"
say "the slowest classes:"
sum_up -v slowest=10 >&2

read -r passed failed skipped < <(awk '
  /^Test run summary:/ { f = s = k = 0 }
  /^  failed: / { f = $2 } /^  succeeded: / { s = $2 } /^  skipped: / { k = $2 }
  END { print s + 0, f + 0, k + 0 }' "$log")
# A crashed host, or nothing run, is a failure too.
[ $((passed + failed)) -gt 0 ] || [ "$rc" != 0 ] || rc=8
[ "$rc" = 0 ] || [ "$failed" != 0 ] || failed=1
[ "$failed" = 0 ] || [ "$rc" != 0 ] || rc=1
echo "$passed passed, $failed failed$([ "$skipped" = 0 ] || echo ", $skipped skipped")"
exit "$rc"
