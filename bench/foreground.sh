#!/bin/bash
# What the application feels: the latency of its inserts with and without a run beside them, in turns.
#
#   bench/foreground.sh [SESSIONS [SECONDS [ROUNDS]]]      (20000, 20, 3)
#
# Two clients insert a message into a live session 50 times a second each, as chats do: a rate that leaves the cores room, so that what is
# measured is waiting for the archiver and not the end of the machine. Prints p50, p99 and the largest, and the ratios of the p99s: with the worker
# and the S3 server as they are, and with both at the lowest priority, which is as near as one machine comes to their running on another one.
. "$(dirname "$0")/stage.sh"
SESSIONS=${1:-20000}; SECONDS_EACH=${2:-20}; ROUNDS=${3:-3}
stage
export Archiver__Storage__Layout=Bundle
echo "$(nproc) cores, $SESSIONS sessions x 20 messages, ${SECONDS_EACH} s a measurement"
chats original "$SESSIONS" 2000 20
cat >"$WORK/insert.sql" <<'S'
\set n random(1, 2000)
INSERT INTO chat_messages (session_id, role, content) SELECT session_id, 'user', repeat('words of a message ', 10) FROM live WHERE n = :n;
S
latencies() { # DATABASE NAME
  rm -f "$WORK"/latency*
  (cd "$WORK" && "$BIN/pgbench" -n -f insert.sql -c 2 -j 2 -R 100 -T "$SECONDS_EACH" -l --log-prefix=latency "$1" >"$WORK/pgbench.$2" 2>&1) || { tail "$WORK/pgbench.$2" >&2; fail "pgbench failed"; }
  # Third field: microseconds, from the moment the insert was due.
  cat "$WORK"/latency* | awk '{ print $3 / 1000 }' | sort -n | awk -v name="$2" '{ v[NR] = $1 } END { printf "%s p50 %.2f ms p99 %.2f ms max %.2f ms (%d inserts)\n", name, v[int(NR * .5) + 1], v[int(NR * .99) + 1], v[NR], NR }'
}
for round in $(seq "$ROUNDS"); do
  sql postgres "CREATE DATABASE r$round TEMPLATE original"; use r$round
  sql r$round "CREATE TABLE live AS SELECT row_number() OVER () AS n, session_id FROM chat_sessions WHERE last_activity > now() - interval '60 days'; ALTER TABLE live ADD PRIMARY KEY (n); ANALYZE live"
  without=$(latencies r$round without); echo "round $round: $without"
  for how in with niced; do
    if [ $how = niced ]; then level=19; else level=0; fi
    # shellcheck disable=SC2046
    renice -n $level -p $("$SERVERS/rgw.sh" status "$WORK/rgw" | grep -oE 'pid [0-9]+' | cut -d' ' -f2) >/dev/null
    # Runs one after another for as long as the measurement lasts: small ones, so that selection and start-up are in it too.
    (while nice -n $level "$BENCH_ARCHIVER" archive --max-sessions 2000 --json 2>>"$WORK/archive.log" >>"$WORK/archive.json" && [ ! -e "$WORK/enough" ]; do :; done) & worker=$!
    measured=$(latencies r$round $how); touch "$WORK/enough"; wait $worker; rm "$WORK/enough"
    echo "round $round: $measured; archived so far: $(sql r$round "SELECT count(*) FROM archiver.archives WHERE state = 'archived'")"
    echo "round $round: p99 $how a run is $(ratio "$(awk '{ print $6 }' <<<"$measured")" "$(awk '{ print $6 }' <<<"$without")") x the p99 without"
  done
  sql postgres "DROP DATABASE r$round"
done
