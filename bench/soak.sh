#!/bin/bash
# A long backlog with Bundle: time per session and memory along the way, growth of the ledger, bloat of the tables, objects and their bytes.
#
#   bench/soak.sh [SESSIONS [MESSAGES]]      (1000000, 20); a million take about an hour and 60 GB of disk
#
# Prints a table of samples, two plots as text, and what a session costs. BENCH_LAYOUT=Session for the other layout.
# BENCH_FOREGROUND=1 inserts 100 messages a second beside it.
. "$(dirname "$0")/stage.sh"
SESSIONS=${1:-1000000}; MESSAGES=${2:-20}; LAYOUT=${BENCH_LAYOUT:-Bundle}
export RGW_STORE_BYTES=${RGW_STORE_BYTES:-$((SESSIONS * 8192 + (4 << 30)))}
stage
export Archiver__Storage__Layout=$LAYOUT
echo "$(nproc) cores, $SESSIONS sessions x $MESSAGES messages, Layout $LAYOUT"
began=$(now); chats soak "$SESSIONS" 1000 "$MESSAGES"; echo "made in $(since "$began") s"
sizes() { sql soak "SELECT pg_size_pretty(pg_total_relation_size('chat_sessions')) || ' sessions, ' || pg_size_pretty(pg_total_relation_size('chat_messages')) || ' messages, ' || coalesce(pg_size_pretty((SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c WHERE c.relnamespace = to_regnamespace('archiver') AND c.relkind = 'r')), '0 bytes') || ' ledger, dead rows ' || coalesce((SELECT sum(n_dead_tup) FROM pg_stat_user_tables WHERE relname LIKE 'chat%'), 0)"; }
echo "before: $(sizes)"
if [ -n "${BENCH_FOREGROUND:-}" ]; then
  echo "INSERT INTO chat_messages (session_id, role, content) SELECT session_id, 'user', 'while the soak is going on' FROM chat_sessions WHERE last_activity > now() - interval '60 days' LIMIT 1;" >"$WORK/insert.sql"
  "$BIN/pgbench" -n -f "$WORK/insert.sql" -c 1 -R 100 -T 86400 soak >"$WORK/foreground" 2>&1 & foreground=$!
fi
began=$(now)
"$BENCH_ARCHIVER" archive --json >"$WORK/soak.json" 2>"$WORK/soak.log" & worker=$!
printf '%8s %10s %14s %10s %10s\n' seconds sessions 'us/session' 'RSS MB' 'ledger MB'
last_done=0; last=$(now)
while kill -0 $worker 2>/dev/null; do
  sleep "${BENCH_SAMPLE:-5}"
  finished=$("$BIN/psql" -XAtq -d soak -c "SELECT coalesce(sum(sessions_done), 0) FROM archiver.runs" 2>/dev/null) || continue
  rss=$(awk '/^VmRSS/ { printf "%d", $2 / 1024 }' /proc/$worker/status 2>/dev/null); peak=$(awk '/^VmHWM/ { printf "%d", $2 / 1024 }' /proc/$worker/status 2>/dev/null || echo "${peak:-0}")
  [ -n "$rss" ] && [ "${finished:-0}" -gt $last_done ] || continue
  printf '%8s %10s %14s %10s %10s\n' "$(since "$began" | cut -d. -f1)" "$finished" "$(awk -v t="$(since "$last")" -v n=$((finished - last_done)) 'BEGIN { printf "%d", 1e6 * t / n }')" "$rss" \
    "$(sql soak "SELECT sum(pg_total_relation_size(c.oid)) / 1000000 FROM pg_class c WHERE c.relnamespace = 'archiver'::regnamespace AND c.relkind = 'r'" | cut -d. -f1)" | tee -a "$WORK/samples"
  last_done=$finished; last=$(now); highest=$peak
done
wait $worker; rc=$?; took=$(since "$began")
[ -z "${foreground:-}" ] || kill "$foreground"
[ $rc = 0 ] || { tail -n 5 "$WORK/soak.log" >&2; fail "the run ended with $rc"; }
plot() { awk -v c="$1" -v title="$2" '{ v[NR] = $c; if ($c > m) m = $c } END { print title " (0 to " m ")"; for (i = 1; i <= NR; i++) if (NR <= 40 || i % int(NR / 40 + 1) == 0) { s = sprintf("%*s", int(50 * v[i] / m), ""); gsub(/ /, "#", s); printf "%8s |%s\n", v[i], s } }' "$WORK/samples"; }
[ ! -s "$WORK/samples" ] || { plot 3 'microseconds a session'; plot 4 'resident memory, MB'; }
echo "after: $(sizes)"
sql soak "VACUUM chat_sessions, chat_messages"; echo "after VACUUM: $(sizes)"
echo "run: $took s, $(awk -v t="$took" -v n="$SESSIONS" 'BEGIN { printf "%d microseconds", 1e6 * t / n }') a session, peak memory ${highest:-?} MB"
echo "objects: $(sql soak "SELECT count(*) || ', ' || pg_size_pretty(sum(length)) || ', ' || round(sum(length) / $SESSIONS) || ' bytes a session' FROM archiver.objects WHERE state = 'stored'")"
echo "ledger: $(sql soak "SELECT round(sum(pg_total_relation_size(c.oid)) / $SESSIONS) || ' bytes a session' FROM pg_class c WHERE c.relnamespace = 'archiver'::regnamespace AND c.relkind = 'r'")"
echo "WAL: $(sql soak "SELECT pg_size_pretty(wal_bytes) FROM pg_stat_wal") since the server started, making the chats included"
