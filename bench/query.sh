#!/bin/bash
# What SQL over the archive promises (docs/query.md), measured on servers of its own. The last results are in bench/QUERY.md.
#
#   bench/query.sh exact [SESSIONS [MESSAGES]]  (20000 4)    each preset and both layouts: every column of every row as it was before; one user's sessions: time and requests
#   bench/query.sh scan [SESSIONS [MESSAGES]]   (200000 20)  a scan of all bundles: time and peak memory, beside DuckDB alone on the same files on a local disk
#
# BENCH_PRESETS and BENCH_LAYOUTS narrow `exact`, BENCH_ROUNDS says how often it scans.
. "$(dirname "$0")/stage.sh"
WHAT=${1:-exact}
[ "$WHAT" = scan ] && defaults=(200000 20) || defaults=(20000 4)
SESSIONS=${2:-${defaults[0]}}; MESSAGES=${3:-${defaults[1]}}
export RGW_STORE_BYTES=${RGW_STORE_BYTES:-$((SESSIONS * MESSAGES * 800 + (4 << 30)))}
stage
ask() { "$BENCH_ARCHIVER" query --yes "$@" 2>"$WORK/query.err" || { cat "$WORK/query.err" >&2; fail "query: $1"; }; }
requests() { sql "$1" "SELECT coalesce(sum(requests), 0) FROM archiver.store_requests"; }

# The hash of each column's values in the order of the keys, in PostgreSQL's words and in DuckDB's.
columns() { sql "$1" "SELECT a.attname || ' ' || replace(a.atttypid::regtype::text, ' ', '_') FROM pg_attribute AS a WHERE a.attrelid = '$2'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"; }
hashes() { # before|after DATABASE TABLE: the SQL
  local list='' name type value key=session_id; columns "$2" "$3" | grep -q '^id ' && key=id
  while read -r name type; do
    if [ "$1" = before ]; then
      case $type in timestamp*) value="(extract(epoch FROM $name) * 1000000)::bigint::text";; *) value="$name::text";; esac
      list+="${list:+, }md5(coalesce(string_agg(coalesce($value, '(none)'), '|' ORDER BY $key::text COLLATE \"C\"), ''))"
    else
      case " source policy session_id external_id generation state user_id session_created_at session_last_activity message_count exported_at archived_at object " in *" $name "*) name=row_$name;; esac
      case $type in timestamp*) value="epoch_us($name)::varchar";; *) value="$name::varchar";; esac
      [ $key = id ] || key=row_session_id
      list+="${list:+, }md5(coalesce(string_agg(coalesce($value, '(none)'), '|' ORDER BY $key::varchar), ''))"
    fi
  done < <(columns "$2" "$3")
  echo "SELECT count(*), $list"
}

exact() { # PRESET LAYOUT
  local preset=$1 layout=$2 db sessions=sessions messages=messages before after user n asked began took
  db=$(echo "q_${preset}_$layout" | tr 'A-Z-' 'a-z_')
  case $preset in ended-at|soft-delete) sessions=chat_sessions messages=chat_messages;; esac
  sql postgres "CREATE DATABASE $db TEMPLATE template0"
  { cat "sql/schemas/$preset.sql"; echo "SET sample.idle = '$SESSIONS'; SET sample.young = '0'; SET sample.messages = '$MESSAGES'; SET sample.seed = '1';"; cat sql/samples/conversations.sql "sql/samples/$preset.sql"
    echo "SET session_replication_role = replica; UPDATE $sessions SET metadata = CASE WHEN random() < 0.5 THEN 'null'::jsonb END WHERE random() < 0.2; VACUUM ANALYZE;"; } | "$BIN/psql" -Xq -v ON_ERROR_STOP=1 -d "$db" >/dev/null || fail "$preset cannot be made"
  use "$db"; export Archiver__Sources__main__Preset=$preset Archiver__Storage__Layout=$layout
  before=$(sql "$db" "$(hashes before "$db" $sessions) FROM $sessions")$'\n'$(sql "$db" "$(hashes before "$db" $messages) FROM $messages")
  local ask_sessions ask_messages; ask_sessions="$(hashes after "$db" $sessions) FROM sessions"; ask_messages="$(hashes after "$db" $messages) FROM messages"
  "$BENCH_ARCHIVER" archive >/dev/null 2>"$WORK/archive.log" || { tail -3 "$WORK/archive.log" >&2; fail "$preset cannot be archived"; }
  [ "$(sql "$db" "SELECT count(*) FROM $sessions")" = 0 ] || fail "$preset: sessions are left"
  began=$(now); after=$(ask "$ask_sessions" --csv | tail -n +2 | tr -d '\r' | tr , '|')$'\n'$(ask "$ask_messages" --csv | tail -n +2 | tr -d '\r' | tr , '|'); took=$(since "$began")
  [ "$before" = "$after" ] && echo "$preset $layout: $(sql "$db" "SELECT count(*) FROM archiver.archives") sessions, every column equal ($took s for two scans)" || { diff <(tr '|' '\n' <<<"$before") <(tr '|' '\n' <<<"$after") >&2; fail "$preset $layout: NOT EQUAL"; }
  user=$(sql "$db" "SELECT user_id FROM archiver.archives GROUP BY 1 HAVING count(*) <= 50 ORDER BY count(*) DESC LIMIT 1")
  [ -n "$user" ] || { sql "$db" "UPDATE archiver.archives SET user_id = 'somebody' WHERE id % $((SESSIONS / 20)) = 0"; user=somebody; }
  n=$(sql "$db" "SELECT count(*) FROM archiver.archives WHERE user_id = '$user'")
  asked=$(requests "$db"); began=$(now); ask "SELECT count(*) FROM messages" --user "$user" >/dev/null; took=$(since "$began")
  echo "  one user's $n of $SESSIONS sessions: $took s, $(($(requests "$db") - asked)) requests, listings and keys included"
}

case $WHAT in
  exact)
    for preset in ${BENCH_PRESETS:-ended-at last-accessed status-expiry soft-delete}; do for layout in ${BENCH_LAYOUTS:-Session Bundle}; do exact "$preset" "$layout"; done; done;;
  scan)
    dotnet build bench/Bench -c Release -v quiet >"$WORK/bench.log" 2>&1 || fail "bench/Bench does not build"
    bench() { bench/Bench/bin/Release/net10.0/bench duck "$@"; }
    export Archiver__Storage__Layout=Bundle
    chats scan "$SESSIONS" 0 "$MESSAGES"
    "$BENCH_ARCHIVER" archive >/dev/null 2>"$WORK/archive.log" || { tail -3 "$WORK/archive.log" >&2; fail "it cannot be archived"; }
    mkdir "$WORK/files"; bench fetch "$WORK/files"
    echo "$(nproc) cores, $(sql scan "SELECT count(*) || ' sessions, ' || sum(message_count) || ' messages, ' || count(DISTINCT object_id) || ' bundles, ' || pg_size_pretty(sum(byte_length)) || ' of gzip, ' || pg_size_pretty(sum(json_length)) || ' of JSON' FROM archiver.archives")"
    for ((round = 1; round <= ${BENCH_ROUNDS:-3}; round++)); do
      began=$(now)
      /usr/bin/time -f '%M %U %S' -o "$WORK/time" "$BENCH_ARCHIVER" query --yes --csv "SELECT count(*), sum(length(content)), sum(token_count), max(epoch_us(timestamp)), count(DISTINCT session_id) FROM messages" 2>"$WORK/query.err" | tail -n 1 | tr -d '\r' | tr , ' ' >"$WORK/ours"
      echo "archiver query: $(since "$began") s, $(awk '{ printf "%.1f s of processor, peak %d MB", $2 + $3, $1 / 1024 }' "$WORK/time")"
      bench sql 512MB "SELECT count(*), sum(length(m.content)), sum(m.token_count), max(epoch_us(m.timestamp)), count(DISTINCT m.session_id) FROM (SELECT unnest(messages) AS m FROM read_json('$WORK/files/*.jsonl.gz', format = 'newline_delimited', compression = 'gzip', maximum_object_size = 100000000, columns = {messages: 'STRUCT(session_id VARCHAR, content VARCHAR, token_count INTEGER, timestamp TIMESTAMPTZ)[]'}))" >"$WORK/theirs" 2>"$WORK/duck.err" || fail "$(cat "$WORK/duck.err")"
      echo "DuckDB alone, the same files on a local disk: $(cat "$WORK/duck.err")"
      [ "$(cat "$WORK/ours")" = "$(cat "$WORK/theirs")" ] && echo "  both: $(cat "$WORK/ours")" || fail "the answers differ: $(cat "$WORK/ours" "$WORK/theirs")"
    done;;
  *) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2;;
esac
