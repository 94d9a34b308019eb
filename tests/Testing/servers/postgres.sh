#!/bin/bash
# Throw-away PostgreSQL for tests, on loopback only. As root the server runs as user postgres (or nobody).
# Debian 12: apt-get install --no-install-recommends postgresql-15
#
#   postgres.sh up DIR PORT       start; PORT 0 picks a free one; prints KEY=VALUE lines (also in DIR/env)
#   postgres.sh down DIR          stop what `up DIR` started and delete DIR
#   postgres.sh run DIR PORT      up, print READY, stay until stdin closes or a signal comes, then down;
#                                 if this script is SIGKILLed the server ends too, only DIR stays
#   postgres.sh restart DIR       fast shutdown and start, same port
#   postgres.sh kill DIR          SIGKILL postmaster and backends, as a power cut would
#   postgres.sh stop DIR          fast shutdown, keep DIR
#   postgres.sh start DIR         start again after `stop` or `kill`, same port
#   postgres.sh status DIR        pid and port
#   postgres.sh prepare DIR       no server: a data folder for PG_PREPARED
#
# Environment (all optional):
#   ARCHIVER_TEST_PG_BIN=FOLDER   the server's binaries (default: newest /usr/lib/postgresql/*/bin)
#   PG_FSYNC=on                   durable writes; the default (off) survives `kill`, not a power cut of the machine
#   PG_EXTRA                      more lines for postgresql.conf
#   PG_PREPARED=DIR               copy the data folder that `prepare DIR` made, in place of initdb: a tenth of the time. The copy gets
#                                 a system identifier of its own, as tests of two servers count on
#   PG_STANDBY_OF="DIR PORT"      a streaming standby: a copy of the server in DIR, which must be stopped, that follows PORT
#   PG_START_TIMEOUT=SECONDS      limit for each wait (default 60)
set -u
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin
LIMIT=${PG_START_TIMEOUT:-60}
CMD=${1:-}; DIR=${2:-}
. "$(dirname "${BASH_SOURCE[0]}")/processes.sh"

die() { echo "postgres.sh: $*" >&2; exit 1; }
[ -n "$CMD" ] && [ -n "$DIR" ] || { sed -n '2,23s/^# \{0,1\}//p' "$0" >&2; exit 2; }
case $DIR in /*) ;; *) DIR=$PWD/$DIR;; esac
DIR=${DIR%/}
[[ $DIR =~ ^/[A-Za-z0-9._/-]+$ ]] || die "unusable directory name: $DIR"
DATA=$DIR/data
MARK=.postgres-sh   # a directory without it is not ours to delete
AS=()   # how a command becomes the server's user
if [ "$(id -u)" = 0 ]; then
  OWNER=postgres; id -u postgres >/dev/null 2>&1 || OWNER=nobody
  AS=(setpriv "--reuid=$(id -u $OWNER)" "--regid=$(id -g $OWNER)" --clear-groups)
fi

# The pid of our postmaster, or nothing. The number in the file is trusted only while that process serves our own DATA.
own_pid() {
  local p
  p=$(cat "$DIR/pid" 2>/dev/null) && [ -n "$p" ] || return 1
  command_line "$p" | grep -qxF -- "$DATA" || return 1
  echo "$p"
}
tails() { local f; for f in "$DIR"/log/*; do [ -s "$f" ] && { echo "--- $f"; tail -n 8 "$f"; }; done >&2; }

start() {
  local bin tie=() end=$((SECONDS + LIMIT))
  bin=$(cat "$DIR/bin" 2>/dev/null) || die "no server in $DIR"
  own_pid >/dev/null && die "the server in $DIR already runs"
  # QUIT is an immediate shutdown: busy backends end as well, which the postmaster's SIGKILL would not bring about.
  [ "$CMD" = run ] && tie=(setpriv --pdeathsig QUIT --)
  hold_signals   # between the fork and a pid file that own_pid believes, the server would be lost
  setsid "${AS[@]}" "${tie[@]}" "$bin/postgres" -D "$DATA" </dev/null >>"$DIR/log/postgres" 2>&1 9>&- &
  echo $! >"$DIR/pid"
  disown
  # setsid and setpriv exec the server; until then own_pid does not know it, and on a busy machine that takes seconds
  until own_pid >/dev/null || [ ! -d "/proc/$!" ] || [ $SECONDS -ge $end ]; do sleep .01; done
  take_signals
  # "standby": ready for reading, where a test made it one
  until [[ $(sed -n 8p "$DATA/postmaster.pid" 2>/dev/null | tr -d ' ') =~ ^(ready|standby)$ ]] && [ "$(head -n1 "$DATA/postmaster.pid")" = "$(own_pid)" ]; do
    own_pid >/dev/null || { tails; echo "postgres.sh: the server ended before it was ready" >&2; return 1; }
    [ $SECONDS -lt $end ] || { tails; echo "postgres.sh: the server is not ready after $LIMIT s" >&2; return 1; }
    sleep .02
  done
}

# A mode of shutdown: INT is fast, QUIT immediate. Harder ones follow when it is not obeyed in 10 s.
stop() {
  local p s i
  for s in "$@" QUIT KILL; do
    p=$(own_pid) || { rm -f "$DIR/pid"; return 0; }
    kill "-$s" "$p" 2>/dev/null; kill -CONT "$p" 2>/dev/null
    for i in $(seq 500); do own_pid >/dev/null || { rm -f "$DIR/pid"; return 0; }; sleep .02; done
  done
  echo "postgres.sh: the server (pid $p) does not end" >&2; return 1
}

# The postmaster first, so that it neither notices its children's death nor starts others. The next start must not
# find a backend still attached to the old shared memory, so their end is waited for.
power_cut() {
  local p kids k i
  p=$(own_pid) || die "the server in $DIR does not run"
  kill -STOP "$p"; kids=$(cat "/proc/$p/task/$p/children" 2>/dev/null || pgrep -P "$p")
  kill -KILL "$p" $kids 2>/dev/null
  for k in $p $kids; do
    for i in $(seq 500); do case $(sed 's/.*) //' "/proc/$k/stat" 2>/dev/null) in Z*|'') continue 2;; esac; sleep .02; done
    die "process $k does not end"
  done
  # Where process 1 does not reap, the dead postmaster stays a zombie, which the next one takes for a living rival.
  ipcrm -m "$(sed -n 7p "$DATA/postmaster.pid" | awk '{print $2}')" 2>/dev/null
  rm -f "$DATA/postmaster.pid" "$DIR/pid"
}

find_bin() {
  local bin=${ARCHIVER_TEST_PG_BIN:-}
  [ -n "$bin" ] || bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n1)
  [ -n "$bin" ] && [ -x "$bin/initdb" ] && [ -x "$bin/postgres" ] ||
    die "PostgreSQL is not installed${bin:+ in $bin} (apt-get install --no-install-recommends postgresql-15, or set ARCHIVER_TEST_PG_BIN)"
  "${AS[@]}" test -x "$bin/postgres" || die "user $OWNER cannot reach $bin"
  echo "$bin"
}

# Formats and zone are odd on purpose: code that leans on the server's defaults shows here and not at a user's.
write_conf() { # PORT
  cat >>"$DATA/postgresql.conf" <<C
listen_addresses = '127.0.0.1'
port = $1
unix_socket_directories = ''
max_connections = 200
wal_level = logical
max_prepared_transactions = 10
track_counts = on
timezone = 'Asia/Kolkata'
log_timezone = 'UTC'
datestyle = 'SQL, DMY'
intervalstyle = 'sql_standard'
bytea_output = 'escape'
extra_float_digits = 0
dynamic_shared_memory_type = mmap   # in DATA: a killed server leaves nothing in /dev/shm
log_line_prefix = '%m [%p] %d '
${FSYNC_LINES}
${PG_EXTRA:-}
C
}

# A copy of a stopped server, which is as good as a base backup; same superuser, same password.
clone() { # DIR PORT
  [ -e "$1/$MARK" ] && [ ! -e "$1/data/postmaster.pid" ] || die "the server in $1 is not there or not stopped"
  cp -a "$1/data/." "$DATA/" && cp -p "$1/secret" "$DIR/secret" || die "cannot copy $1"
  chmod 700 "$DATA"; : >"$DATA/standby.signal"; chown --reference="$DATA" "$DATA/standby.signal"
  secret=$(cat "$DIR/secret")
  PG_EXTRA+=$'\n'"primary_conninfo = 'host=127.0.0.1 port=$2 user=postgres password=$secret application_name=standby'"
}

# Prints what the server keeps of a password (SCRAM, RFC 5802), with one round in place of 4096. Those take a client 2 ms, and a run of the tests logs in
# some thousand times. One round is enough for a random password.
verifier() { # PASSWORD
  SECRET=$1 python3 -I - <<'P'
import base64, hashlib, hmac, os
salt = os.urandom(16)
salted = hashlib.pbkdf2_hmac("sha256", os.environ["SECRET"].encode(), salt, 1)
key = lambda name: hmac.digest(salted, name, "sha256")
text = lambda data: base64.b64encode(data).decode()
print(f"SCRAM-SHA-256$1:{text(salt)}${text(hashlib.sha256(key(b'Client Key')).digest())}:{text(key(b'Server Key'))}")
P
}

# initdb into DATA, which it makes, with a random password in DIR/secret.
init() { # BIN
  local sync=(--no-sync)
  secret=$(tr -d - </proc/sys/kernel/random/uuid)
  # Without Python the server makes its own of the password.
  (umask 077; echo "$secret" >"$DIR/secret"; { verifier "$secret" 2>/dev/null || echo "$secret"; } >"$DIR/verifier")
  [ ${#AS[@]} = 0 ] || chown "$OWNER" "$DATA" "$DIR/secret" "$DIR/verifier"
  "${AS[@]}" test -w "$DATA" || die "user ${OWNER:-} cannot reach $DATA"
  [ "${PG_FSYNC:-off}" != on ] || sync=()
  "${AS[@]}" "$1/initdb" -D "$DATA" -U postgres -E UTF8 --locale=C.UTF-8 --auth-host=scram-sha-256 --auth-local=reject \
    --pwfile="$DIR/verifier" ${sync[@]+"${sync[@]}"} </dev/null >"$DIR/log/initdb" 2>&1 || { tails; die "initdb failed"; }
}

# The system identifier is the first thing in pg_control, little-endian and positive; pg_resetwal takes the one that it finds, and writes
# it and new checksums everywhere.
copy_prepared() { # BIN
  cp -a --reflink=auto "$PG_PREPARED/data/." "$DATA/" && cp -p "$PG_PREPARED/secret" "$DIR/secret" || die "cannot copy $PG_PREPARED"
  chmod 700 "$DATA"; [ ${#AS[@]} = 0 ] || chown "$OWNER" "$DATA"
  secret=$(cat "$DIR/secret")
  { head -c 7 /dev/urandom; printf i; } | dd of="$DATA/global/pg_control" conv=notrunc status=none &&
    "${AS[@]}" "$1/pg_resetwal" -f -D "$DATA" >"$DIR/log/initdb" 2>&1 || { tails; die "pg_resetwal failed"; }
}

make_folder() {
  [ ! -e "$DIR/$MARK" ] || rm -rf "$DIR"
  { [ ! -d "$DIR" ] || [ -z "$(ls -A "$DIR")" ]; } || die "$DIR is not empty and not mine"
  mkdir -p "$DIR" && : >"$DIR/$MARK" && MINE=1 && mkdir "$DIR/log" "$DATA" || die "cannot make $DIR"
}

up() {
  local port=${1:-} bin fsync=${PG_FSYNC:-off} secret
  [[ $port =~ ^[0-9]+$ ]] || die "$CMD DIR PORT: PORT is missing"
  bin=$(find_bin) || exit 1
  make_folder
  FSYNC_LINES="fsync = $fsync"; [ "$fsync" = on ] || FSYNC_LINES+=$'\nfull_page_writes = off'
  if [ -n "${PG_STANDBY_OF:-}" ]; then clone $PG_STANDBY_OF
  elif [ -n "${PG_PREPARED:-}" ]; then copy_prepared "$bin"
  else init "$bin"; fi
  echo "$bin" >"$DIR/bin"

  # one `up` at a time takes its port, until it is bound
  exec 9>"${TMPDIR:-/tmp}/.postgres-sh.$(id -u).lock"; flock -w "$LIMIT" 9 || die "another postgres.sh holds the port lock"
  if [ "$port" = 0 ]; then port=$(free_port) || die "no free port"
  elif port_busy "$port"; then die "port $port is taken by another process"; fi
  write_conf "$port"
  start || exit 1
  exec 9>&-
  (umask 077; cat >"$DIR/env" <<E
POSTGRES_PORT=$port
POSTGRES_BIN=$bin
POSTGRES_PASSWORD=$secret
POSTGRES_CONNECTION=Host=127.0.0.1;Port=$port;Username=postgres;Password=$secret;Database=postgres
E
  )
}

case $CMD in
  up|run)
    own_pid >/dev/null && die "a server already runs in $DIR (postgres.sh down $DIR)"
    MINE= UP=
    finish() { # a failed or interrupted `up` leaves nothing running; nor does `run`
      local rc=$?; trap - EXIT; trap '' INT TERM HUP
      if { [ -z "$UP" ] || [ $CMD = run ]; } && [ -n "$MINE" ]; then stop QUIT && rm -rf "$DIR" || rc=1; fi
      exit $rc; }
    trap finish EXIT; take_signals
    up "${3:-}"; UP=1
    cat "$DIR/env"
    if [ $CMD = run ]; then echo READY; while IFS= read -r _; do :; done; fi;;
  down)
    [ -e "$DIR/$MARK" ] || { [ ! -d "$DIR" ] || [ -z "$(ls -A "$DIR")" ] || die "$DIR holds no server of this script"; }
    stop QUIT && rm -rf "$DIR";;
  prepare) bin=$(find_bin) || exit 1; make_folder; init "$bin";;
  restart) stop INT && start;;
  stop) stop INT;;
  start) start;;
  kill) power_cut;;
  status) if p=$(own_pid); then echo "postgres pid $p"; sed -n 's/^POSTGRES_PORT/port/p' "$DIR/env"; else echo "postgres not running"; fi;;
  *) die "unknown command $CMD";;
esac
