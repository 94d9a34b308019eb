#!/bin/bash
# Builds everything and runs every test against one real PostgreSQL and one real S3 gateway, started for this run.
# Ends with a line `N passed, N failed`. Arguments go to `dotnet test`: ./test.sh --filter-class '*TestBucketTests'
# On Debian it installs the servers it misses, as root or with sudo. CONTRIBUTING.md has the variables that replace them.
set -u
cd "$(dirname "$0")" || exit 1
SERVERS=$PWD/tests/Testing/servers
STEP=    # process group of the running step
FDS=()   # write ends of the servers' stdin: a server ends when its one is closed
PIDS=()  # the servers' scripts

say() { echo "test.sh: $*" >&2; }
fail() { say "$*"; echo "0 passed, 1 failed"; exit 1; }

WORK=$(mktemp -d "${TMPDIR:-/tmp}/archiver-test-run-XXXXXX") || fail "cannot make a folder for this run in ${TMPDIR:-/tmp}"
# The PostgreSQL user must be able to go through.
chmod 755 "$WORK"

finish() {
  local rc=$? fd pid
  trap - EXIT; trap '' INT TERM HUP
  if [ -n "$STEP" ]; then
    kill -TERM -- "-$STEP" 2>/dev/null
    timeout 10 tail --pid="$STEP" -f /dev/null
    kill -KILL -- "-$STEP" 2>/dev/null
  fi
  for fd in ${FDS[@]+"${FDS[@]}"}; do exec {fd}>&-; done
  for pid in ${PIDS[@]+"${PIDS[@]}"}; do wait "$pid" 2>/dev/null; done
  rm -rf "$WORK"
  exit $rc
}
trap finish EXIT; trap 'exit 130' INT; trap 'exit 143' TERM; trap 'exit 129' HUP

# Starts a command in a process group of its own, so that Ctrl-C ends it with all it started, and without the servers' stdin.
launch() {
  ( for fd in ${FDS[@]+"${FDS[@]}"}; do exec {fd}>&-; done; exec setsid setpriv --pdeathsig TERM -- "$@" ) &
  STEP=$!
}
await() { local rc; wait "$STEP"; rc=$?; STEP=; return $rc; }

missing_packages() {
  [ -n "${ARCHIVER_TEST_POSTGRES:-}${ARCHIVER_TEST_PG_BIN:-}" ] || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || echo postgresql-15
  [ -n "${ARCHIVER_TEST_S3_ENDPOINT:-}" ] && return
  local path=$PATH:/usr/sbin:/sbin tool
  for tool in radosgw ceph-mon ceph-osd; do [ -x "$(PATH=$path command -v $tool)" ] || echo $tool; done
  /usr/bin/python3 -c 'import rados' 2>/dev/null || echo ceph-common
}

install_servers() {
  local packages root=() log=$WORK/apt.log
  packages=$(missing_packages)
  [ -n "$packages" ] || return 0
  packages=${packages//$'\n'/ }
  [ "$(id -u)" = 0 ] || root=(sudo)
  command -v apt-get >/dev/null || fail "please install $packages: there is no apt-get here to do it"
  [ ${#root[@]} = 0 ] || command -v sudo >/dev/null || fail "please install as root: apt-get install --no-install-recommends $packages"
  say "installing $packages"
  local get=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 install)
  # The package lists of a fresh machine are empty or old; only then is the slow update needed.
  # shellcheck disable=SC2086
  "${get[@]}" $packages >"$log" 2>&1 </dev/null ||
    { "${root[@]}" apt-get -qq update >>"$log" 2>&1 </dev/null; "${get[@]}" $packages >>"$log" 2>&1 </dev/null; } ||
    { tail -n 5 "$log" >&2; fail "apt-get could not install $packages (see above)"; }
}

# Starts a server's script; it lives until its stdin closes, so not longer than this script, however that ends.
start_server() { # NAME
  local fd
  mkfifo "$WORK/$1.stdin" || fail "cannot make a FIFO in $WORK"
  ( for fd in ${FDS[@]+"${FDS[@]}"}; do exec {fd}>&-; done
    exec "$SERVERS/$1.sh" run "$WORK/$1" 0 <"$WORK/$1.stdin" >"$WORK/$1.out" 2>"$WORK/$1.err" ) &
  PIDS+=($!)
  exec {fd}<>"$WORK/$1.stdin"
  FDS+=("$fd")
}

value() { sed -n "s/^$2=//p" "$WORK/$1.out"; }

await_server() { # NAME PID
  until grep -qx READY "$WORK/$1.out" 2>/dev/null; do
    [ -d "/proc/$2" ] || { cat "$WORK/$1.err" >&2; fail "$1.sh did not start its server (see above)"; }
    sleep .1
  done
}

install_servers
[ -n "${ARCHIVER_TEST_POSTGRES:-}" ] || { start_server postgres; POSTGRES_PID=${PIDS[-1]}; }
[ -n "${ARCHIVER_TEST_S3_ENDPOINT:-}" ] || { start_server rgw; RGW_PID=${PIDS[-1]}; }

# No compiler or build server stays behind.
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1
launch dotnet restore --locked-mode -v quiet; await || fail "restore failed: do the lock files match the projects?"
launch dotnet build --no-restore -m:1 -v quiet -p:UseSharedCompilation=false; await || fail "the build failed"

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

# A filter may leave some projects without tests; without one every project must have some.
some=(); [ $# = 0 ] || some=(--ignore-exit-code 8)
log=$WORK/tests.log; : >"$log"
launch dotnet test --no-build --no-ansi --no-progress "$@" ${some[@]+"${some[@]}"} >"$log" 2>&1
tail -n +1 -s .2 -f --pid="$STEP" "$log" & show=$!
await; rc=$?
wait "$show"

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
