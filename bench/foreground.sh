#!/bin/bash
# What the application feels: the latency of its inserts with and without a run beside them, in turns.
#
#   bench/foreground.sh [SESSIONS [SECONDS [ROUNDS]]]      (60000, 15, 3)
#
# Two clients insert a message into a live session 50 times a second each, as chats do: a rate that leaves the cores room, so that what is
# measured is waiting for the archiver and not the end of the machine. Prints p50, p99 and the largest of each measurement, and at the end, of all
# rounds together, the ratio of the p99s:
#   shared     default settings, all on the same cores
#   paced      Batch:Sessions 25 and Batch:Pause 40ms, all on the same cores
#   elsewhere  default settings; worker and S3 server run only when nobody else wants the core (SCHED_IDLE), and the clients come first
#              (SCHED_FIFO): as near as one machine comes to their running on others. What is left is the database, which has all cores
#   gentle     paced and elsewhere
#   trickle    the same with Batch:Sessions 10 and Batch:Pause 100ms
#   spare      default settings; the clients and the server processes that serve them have the last core, all else has the others, as on a
#              database server with cores to spare. What is left is locks, WAL and memory
#   kept       paced and spare
#
# BENCH_HOW="gentle spare" measures these only. Needs root for the schedulers.
. "$(dirname "$0")/stage.sh"
CORES=$(nproc); SESSIONS=${1:-60000}; SECONDS_EACH=${2:-15}; ROUNDS=${3:-3}
modes=${BENCH_HOW:-shared paced elsewhere gentle trickle spare kept}
for how in $modes; do
  case $how in spare|kept) [ "$CORES" -ge 2 ] || fail "$how needs two cores";; shared|paced|elsewhere|gentle|trickle) ;; *) fail "no such mode: $how (see bench/foreground.sh)";; esac
done
stage
export Archiver__Storage__Layout=Bundle
echo "$CORES cores, $SESSIONS sessions x 20 messages, ${SECONDS_EACH} s a measurement"
chats original "$SESSIONS" 2000 20
cat >"$WORK/insert.sql" <<'S'
\set n random(1, 2000)
INSERT INTO chat_messages (session_id, role, content) SELECT session_id, 'user', repeat('words of a message ', 10) FROM live WHERE n = :n;
S
# Puts the server processes that serve the clients where the clients are, as soon as the same two are seen twice: the first of all is a probe's.
apart() { # DATABASE
  local found=none again pid try
  for try in {1..100}; do
    again=$(sql "$1" "SELECT string_agg(pid::text, ' ' ORDER BY pid) FROM pg_stat_activity WHERE application_name = 'pgbench' AND datname = current_database()")
    for pid in $again; do taskset -p -c "$theirs" "$pid" >/dev/null 2>&1; done
    [ "$(wc -w <<<"$again")" = 2 ] && [ "$again" = "$found" ] && return
    found=$again
  done
  return 1
}
latencies() { # DATABASE NAME SECONDS: reads $clients, how these are started; leaves sorted milliseconds in latencies.NAME
  rm -f "$WORK"/latency*
  local mover began
  began=$(date +%s)
  apart "$1" & mover=$!
  (cd "$WORK" && ${clients[@]+"${clients[@]}"} "$BIN/pgbench" -n -f insert.sql -c 2 -j 2 -R 100 -T "$3" -l --log-prefix=latency "$1" >"$WORK/pgbench.$2" 2>&1) || { tail "$WORK/pgbench.$2" >&2; fail "pgbench failed"; }
  wait $mover || fail "the server processes of pgbench do not show"
  # Third field: microseconds, from the moment the insert was due; fifth: when. The first two seconds belong to the start.
  cat "$WORK"/latency* | awk -v from="$((began + 2))" '$5 >= from { print $3 / 1000 }' | sort -n >"$WORK/latencies.$2"
}
quantile() { awk -v q="$1" '{ v[NR] = $1 } END { printf "%.2f", v[q < 1 ? int(NR * q) + 1 : NR] }' "$2"; } # OF FILE
describe() { echo "p50 $(quantile .5 "$1") ms p99 $(quantile .99 "$1") ms max $(quantile 1 "$1") ms ($(wc -l <"$1") inserts)"; } # FILE
for round in $(seq "$ROUNDS"); do
  for how in $modes; do
    name=${how}_$round
    sql postgres "CREATE DATABASE $name TEMPLATE original"; use $name
    sql $name "CREATE TABLE live AS SELECT row_number() OVER () AS n, session_id FROM chat_sessions WHERE last_activity > now() - interval '60 days'; ALTER TABLE live ADD PRIMARY KEY (n); ANALYZE live"
    # What the first inserts of a copied database wait for is not what a run is compared with: its writing to disk, and below its cold pages.
    sql postgres CHECKPOINT; sync
    case $how in
      paced|gentle|kept) export Archiver__Batch__Sessions=25 Archiver__Batch__Pause=40ms;;
      trickle) export Archiver__Batch__Sessions=10 Archiver__Batch__Pause=100ms;;
      *) unset Archiver__Batch__Sessions Archiver__Batch__Pause;;
    esac
    case $how in elsewhere|gentle|trickle) scheduler=--idle;; *) scheduler=--other;; esac
    case $how in elsewhere|gentle|trickle) clients=(chrt --fifo 1);; *) clients=();; esac
    case $how in spare|kept) ours=0-$((CORES - 2)) theirs=$((CORES - 1));; *) ours=0-$((CORES - 1)) theirs=$ours;; esac
    store=$("$SERVERS/rgw.sh" status "$WORK/rgw" | grep -oE 'pid [0-9]+' | cut -d' ' -f2)
    server=$(cat "$WORK/postgres/pid")
    for pid in $store "$server" $(pgrep -P "$server"); do taskset -a -p -c "$ours" "$pid" >/dev/null; done
    taskset -p -c "$theirs" $$ >/dev/null
    latencies $name warm 3
    latencies $name without "$SECONDS_EACH"
    for pid in $store; do chrt --all-tasks $scheduler --pid 0 "$pid"; done
    taskset -c "$ours" chrt $scheduler 0 "$BENCH_ARCHIVER" archive --json 2>>"$WORK/archive.log" >>"$WORK/archive.json" & worker=$!
    # Its start is not what a worker that always runs does.
    until [ "$("$BIN/psql" -XAtq -d $name -c "SELECT count(*) FROM archiver.runs WHERE sessions_done > 0" 2>/dev/null)" = 1 ]; do
      kill -0 $worker 2>/dev/null || fail "the archiver ended: $(tail -n 1 "$WORK/archive.log")"
      sleep .1
    done
    began=$(now); before=$(sql $name "SELECT sum(sessions_done) FROM archiver.runs")
    latencies $name with "$SECONDS_EACH"
    kill -0 $worker 2>/dev/null || echo "round $round: the run ended before the measurement: take more sessions" >&2
    rate=$(awk -v n="$(($(sql $name "SELECT sum(sessions_done) FROM archiver.runs") - before))" -v t="$(since "$began")" 'BEGIN { printf "%d", n / t }')
    kill -TERM $worker 2>/dev/null; wait $worker
    for when in without with; do
      echo "round $round, $how: $when a run: $(describe "$WORK/latencies.$when")"
      cat "$WORK/latencies.$when" >>"$WORK/$how.$when"
    done
    echo "round $round, $how: archived $rate sessions/s"
    sql postgres "DROP DATABASE $name WITH (FORCE)"
  done
done
for how in $modes; do
  for when in without with; do sort -n -o "$WORK/$how.$when" "$WORK/$how.$when"; done
  echo "$how, $ROUNDS rounds: p99 $(quantile .99 "$WORK/$how.with") ms with a run, $(quantile .99 "$WORK/$how.without") ms without: $(ratio "$(quantile .99 "$WORK/$how.with")" "$(quantile .99 "$WORK/$how.without")") x"
done
