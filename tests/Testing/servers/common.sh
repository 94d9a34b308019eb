# Sourced, not run: what test.sh and demo.sh share. Throw-away servers that end with the script, however that ends.
#
# Before: ME (name for messages), WORK_PREFIX and WORK_BASE (folder to make WORK in) may be set; fail(), finish_more(), a last clean-up,
#          and missing_more(), further Debian packages that are missing, may be defined.
# After : WORK is a folder of this run's own, removed at the end; then
#   install_servers        what is missing of PostgreSQL and the S3 gateway, from Debian's packages, as root or with sudo;
#                          with WITH_TOOLS set also the model checker, its compiler and the connection pooler; with WITH_LINKER what links native code
#   start_server NAME      starts postgres.sh or rgw.sh in the background; its pid is ${PIDS[-1]}
#   await_server NAME PID  until it is ready; then `value NAME KEY` reads what it printed
#   launch COMMAND...      in a process group of its own, so that Ctrl-C ends it with all it started; then `await`
#   beside FUNCTION        runs a function of the script's beside the next steps, to its own end or the script's; it knows ME, WORK, what is exported, and say
#   compile COMMAND...     the same for `dotnet build "${SHARED_COMPILER[@]}" ...`: its compiler stays for the next one, until end_compilers or the end

# shellcheck shell=bash
ME=${ME:-$(basename "$0")}
SERVERS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
STEP=    # process group of the running step
BESIDE=() # those of what goes on beside it
FDS=()   # write ends of the servers' stdin: a server ends when its one is closed
PIDS=()  # the servers' scripts

say() { echo "$ME: $*" >&2; }
declare -F fail >/dev/null || fail() { say "$*"; exit 1; }

WORK_BASE=${WORK_BASE:-${TMPDIR:-/tmp}}
WORK=$(mktemp -d "$WORK_BASE/${WORK_PREFIX:-archiver}-XXXXXX") || fail "cannot make a folder for this run in $WORK_BASE"
# The PostgreSQL user must be able to go through.
chmod 755 "$WORK"

finish() {
  local rc=$? fd pid
  trap - EXIT; trap '' INT TERM HUP
  for pid in ${STEP:+"$STEP"} ${BESIDE[@]+"${BESIDE[@]}"}; do end_group "$pid"; done
  end_compilers
  for fd in ${FDS[@]+"${FDS[@]}"}; do exec {fd}>&-; done
  for pid in ${PIDS[@]+"${PIDS[@]}"}; do wait "$pid" 2>/dev/null; done
  ! declare -F finish_more >/dev/null || finish_more
  rm -rf "$WORK"
  exit $rc
}
trap finish EXIT; trap 'exit 130' INT; trap 'exit 143' TERM; trap 'exit 129' HUP

# Without the servers' stdin: a step that outlived this script would keep them alive.
start_group() {
  ( for fd in ${FDS[@]+"${FDS[@]}"}; do exec {fd}>&-; done; exec setsid setpriv --pdeathsig TERM -- "$@" ) &
}
launch() { start_group "$@"; STEP=$!; }
beside() { start_group env ME="$ME" WORK="$WORK" bash -c "$(declare -f say "$1"); $1"; BESIDE+=($!); }
await() { local rc; wait "$STEP"; rc=$?; STEP=; return $rc; }

# Ends what a step started and what is left of it.
end_group() { # PROCESS GROUP
  kill -TERM -- "-$1" 2>/dev/null || return 0
  timeout 10 tail -s .1 --pid="$1" -f /dev/null
  kill -KILL -- "-$1" 2>/dev/null
}

# The compiler's server is this run's own, by the name of its pipe, and lives in the group of the step that needed it first. It is asked for by
# name: where the environment switches it off, such as in a container, each project would start a cold compiler.
# Its socket is a file of that name in the folder for temporary files. WORK may be a folder there: had both one name, the server could not start.
export SHARED_COMPILER_ID; SHARED_COMPILER_ID=$(basename "$WORK")-csc
SHARED_COMPILER=(-p:UseSharedCompilation=true -p:SharedCompilationId="$SHARED_COMPILER_ID")
# The compiler would collect its garbage as a server with many cores does, which takes a third of its time on two.
COLLECTOR=(DOTNET_gcServer=0 DOTNET_gcConcurrent=0 DOTNET_GCgen0size=0x8000000)
COMPILERS=()
compile() { local group rc; launch env "${COLLECTOR[@]}" "$@"; group=$STEP; await; rc=$?; ! kill -0 -- "-$group" 2>/dev/null || COMPILERS+=("$group"); return $rc; }
end_compilers() {
  local group
  for group in ${COMPILERS[@]+"${COMPILERS[@]}"}; do end_group "$group"; done
  COMPILERS=()
  rm -f "${TMPDIR:-/tmp}/$SHARED_COMPILER_ID"
}

missing_packages() {
  ! declare -F missing_more >/dev/null || missing_more
  [ -n "${ARCHIVER_TEST_POSTGRES:-}${ARCHIVER_TEST_PG_BIN:-}" ] || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || echo postgresql-15
  # Documents are compressed by it where it is (docs/adr/0016-libdeflate.md).
  ls /usr/lib/*/libdeflate.so.0 >/dev/null 2>&1 || echo libdeflate0
  # Only tests use these; without CI they are skipped where they are missing.
  if [ -n "${WITH_TOOLS:-}" ]; then
    [ -x /usr/bin/spin ] || echo spin
    [ -x /usr/sbin/pgbouncer ] || echo pgbouncer
    command -v cc >/dev/null || printf '%s\n' gcc libc6-dev
  fi
  # Publishing links native code with it (docs/adr/0020-native-aot.md).
  [ -z "${WITH_LINKER:-}" ] || command -v clang >/dev/null || command -v gcc >/dev/null || printf '%s\n' gcc libc6-dev
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

# Starts a server's script; it lives until its stdin closes, so not longer than this script, however that ends. In a session of its
# own: Ctrl-C must not take the server from under a step that is still ending.
start_server() { # NAME
  local fd
  mkfifo "$WORK/$1.stdin" || fail "cannot make a FIFO in $WORK"
  ( for fd in ${FDS[@]+"${FDS[@]}"}; do exec {fd}>&-; done
    exec setsid "$SERVERS/$1.sh" run "$WORK/$1" 0 <"$WORK/$1.stdin" >"$WORK/$1.out" 2>"$WORK/$1.err" ) &
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
