#!/bin/bash
# The targets that the four systems' documents name, on the schemas of sql/schemas and through the product. The last results are in bench/TARGETS.md.
#
#   bench/targets.sh [SESSIONS [MESSAGES [ROUNDS]]]    (10000 10 5)   found, limit and whether it was met; ends with 1 where one was missed
#
# Times are those of a client on the same machine, on a warm cache: the 95th percentile of 500 prepared statements, and the median of ROUNDS expiries of a
# worker that runs, from the request to the end of the run. Nothing else should run; `chrt -r 5 bench/targets.sh` keeps the others off the processor.
. "$(dirname "$0")/stage.sh"
SESSIONS=${1:-10000}; MESSAGES=${2:-10}; ROUNDS=${3:-5}; LARGE=10000
export PG_FSYNC=on
WORKER=
trap '[ -z "$WORKER" ] || kill "$WORKER"; finish' EXIT
stage
MISSED=0
row() { # WHAT FOUND LIMIT: both in ms
  local met=yes
  awk -v f="$2" -v l="$3" 'BEGIN { exit !(f + 0 <= l + 0) }' || { met='**no**'; MISSED=1; }
  echo "| $1 | $2 ms | $3 ms | $met |"
}
middle() { sort -n | awk -v at="$1" '{ v[NR] = $1 } END { n = int(NR * at + 0.999); print v[n < 1 ? 1 : n] }'; }

# 95th percentile of one statement, in ms, after 100 that do not count.
timed() { # DATABASE SQL
  echo "$2;" >"$WORK/statement.sql"
  rm -f "$WORK"/latency.*
  "$BIN/pgbench" -n -M prepared -t 600 -f "$WORK/statement.sql" -l --log-prefix="$WORK/latency" "$1" >"$WORK/pgbench.log" 2>&1 || { cat "$WORK/pgbench.log" >&2; fail "pgbench: $2"; }
  awk 'NR > 100 { print $3 / 1000 }' "$WORK"/latency.* | middle 0.95 | xargs printf '%.2f'
}

# Many sessions of one user, and one of many messages.
system() { # PRESET: sets DB S M KEY TIME AGE
  DB=$(echo "t_$1" | tr - _); S=sessions M=messages KEY=id TIME=created_at AGE=updated_at
  case $1 in ended-at) S=chat_sessions M=chat_messages KEY=session_id TIME=timestamp AGE=last_activity;; soft-delete) S=chat_sessions M=chat_messages TIME=timestamp AGE=last_activity;; last-accessed) AGE=last_accessed;; esac
  sql postgres "CREATE DATABASE $DB TEMPLATE template0"
  { cat "sql/schemas/$1.sql"; echo "SET sample.idle = '0'; SET sample.young = '$SESSIONS'; SET sample.messages = '$MESSAGES';"; cat sql/samples/conversations.sql "sql/samples/$1.sql"
    echo "UPDATE $S SET user_id = 'ada'; CREATE TEMP TABLE large AS SELECT $KEY AS id FROM $S ORDER BY $AGE DESC LIMIT 1;"
    case $1 in
      soft-delete) echo "INSERT INTO $M (id, session_id, sequence, timestamp, role, content) SELECT gen_random_uuid(), large.id, 1000 + n, timestamp '2026-01-01' + n * interval '1 s', 'user', repeat('words and words ', 20) FROM large, generate_series(1, $LARGE) AS n;";;
      *) echo "INSERT INTO $M (session_id, $TIME, role, content, token_count) SELECT large.id, timestamptz '2026-01-01' + n * interval '1 s', 'user', repeat('words and words ', 20), 80 FROM large, generate_series(1, $LARGE) AS n;";;
    esac
    echo "VACUUM ANALYZE;"; } | "$BIN/psql" -Xq -v ON_ERROR_STOP=1 -d "$DB" >"$WORK/made.log" 2>&1 || { tail -5 "$WORK/made.log" >&2; fail "$1 cannot be made"; }
  LARGEST=$(sql "$DB" "SELECT session_id FROM $M GROUP BY 1 ORDER BY count(*) DESC LIMIT 1")
}

statements() { # PRESET
  system "$1"
  local order="$TIME DESC, id DESC" live=''
  [ "$1" != soft-delete ] || { order='sequence DESC, timestamp DESC, id DESC'; live=' AND deleted_at IS NULL'; }
  row "$1: look up a session" "$(timed "$DB" "SELECT * FROM $S WHERE $KEY = '$LARGEST'")" 5
  row "$1: last 10 messages of $LARGE" "$(timed "$DB" "SELECT * FROM $M WHERE session_id = '$LARGEST'$live ORDER BY $order LIMIT 10")" 3
  row "$1: recent 50 messages of $LARGE, joined with their session" "$(timed "$DB" "SELECT m.*, s.user_id FROM $S AS s JOIN $M AS m ON m.session_id = s.$KEY WHERE s.$KEY = '$LARGEST'${live/ deleted/ m.deleted} ORDER BY $(sed -E 's/(^|, )/\1m./g' <<<"$order") LIMIT 50")" 20
  row "$1: recent 50 sessions of a user's $SESSIONS" "$(timed "$DB" "SELECT * FROM $S WHERE user_id = 'ada'$live ORDER BY $AGE DESC LIMIT 50")" 20
  case $1 in
    status-expiry)
      local outer; outer=$(sql "$DB" "SELECT session_id FROM $S WHERE id = '$LARGEST'")
      row "$1: look up a session by its external id" "$(timed "$DB" "SELECT * FROM $S WHERE session_id = '$outer'")" 5
      row "$1: context of 4,000 tokens, of $LARGE messages" "$(timed "$DB" "SELECT * FROM get_session_context('$outer', 4000)")" 30
      [ "$(sql "$DB" "SELECT count(*) FROM get_session_context('$outer', 4000)")" -gt 20 ] || fail "the context is nearly empty";;
    last-accessed) row "$1: write a message" "$(timed "$DB" "INSERT INTO $M (session_id, role, content) VALUES ('$LARGEST', 'user', 'hello')")" 2;;
  esac
}

# A worker that runs all the time, asked over HTTP: each round it finds 1,000 sessions that have just expired.
expiry() {
  local port=$((20000 + RANDOM % 10000)) key=0123456789abcdef0123456789abcdef n began
  use "$DB"; export Archiver__Sources__main__Preset=status-expiry
  unset Archiver__Sources__main__Policies__idle__Action Archiver__Sources__main__Policies__idle__IdleFor
  export Archiver__Sources__main__Policies__over__Action=Expire Archiver__Sources__main__Policies__over__ExpiredFor=0s Archiver__Http__Urls=http://127.0.0.1:$port Archiver__Http__ApiKey=$key
  "$BENCH_ARCHIVER" migrate >/dev/null 2>&1 || fail "migrate failed"
  "$BENCH_ARCHIVER" run >"$WORK/worker.log" 2>&1 & WORKER=$!
  for ((n = 0; n < 600; n++)); do curl -sf "http://127.0.0.1:$port/health/ready" >/dev/null && break; sleep 0.1; done
  [ "$n" -lt 600 ] || { tail -5 "$WORK/worker.log" >&2; fail "the worker does not come up"; }
  # The first two warm it up.
  for ((n = -1; n <= ROUNDS; n++)); do
    sql "$DB" "UPDATE $S SET status = 'active', expires_at = CASE WHEN id IN (SELECT id FROM $S ORDER BY id LIMIT 1000) THEN now() - interval '1 hour' END"; sql "$DB" "VACUUM ANALYZE $S"
    began=$(now)
    curl -sf -X POST -H "Authorization: Bearer $key" -H 'Content-Type: application/json' -d '{"policy": "main/over"}' "http://127.0.0.1:$port/runs" >/dev/null || fail "the run was not taken"
    until [ "$(sql "$DB" "SELECT count(*) FROM archiver.runs WHERE ended_at IS NOT NULL")" -ge $((n + 2)) ]; do sleep 0.2; done
    [ "$(sql "$DB" "SELECT count(*) FROM $S WHERE status = 'expired'")" = 1000 ] || fail "not 1,000 sessions have expired"
    [ "$n" -lt 1 ] || sql "$DB" "SELECT (extract(epoch FROM ended_at) - $began) * 1000 FROM archiver.runs ORDER BY started_at DESC LIMIT 1" >>"$WORK/expiries"
  done
  row "status-expiry: 1,000 expired sessions, by a worker that runs" "$(middle 0.5 <"$WORK/expiries" | xargs printf '%.0f')" 500
  kill "$WORKER"; wait "$WORKER"; WORKER=
}

echo "$(nproc) cores, $SESSIONS sessions with $MESSAGES messages in each system, and one with $LARGE more"
echo
echo "| target | found | limit | met |"
echo "|---|---:|---:|---|"
for preset in ended-at last-accessed soft-delete status-expiry; do statements "$preset"; done
expiry
exit "$MISSED"
