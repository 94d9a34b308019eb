#!/bin/bash
# One worker on a whole source against two workers on two shards: the time until the backlog is gone, in turns.
#
#   bench/shards.sh [SESSIONS [ROUNDS]]      (10000, 2)
#
# Two processes can be faster only where the cores allow it: the database, the S3 server and both share them here. The script prints how many there are.
. "$(dirname "$0")/stage.sh"
SESSIONS=${1:-10000}; ROUNDS=${2:-2}
stage
export Archiver__Storage__Layout=Bundle
echo "$(nproc) cores, $SESSIONS sessions x 20 messages, Layout Bundle"
chats original "$SESSIONS" 0 20
for round in $(seq "$ROUNDS"); do
  for workers in 1 2; do
    name=r${round}w$workers
    sql postgres "CREATE DATABASE $name TEMPLATE original"; use $name
    export Archiver__Schedule__Shards=$workers
    "$BENCH_ARCHIVER" migrate >/dev/null 2>&1 || fail "migrate failed"
    began=$(now); pids=()
    for w in $(seq $workers); do "$BENCH_ARCHIVER" archive --json >"$WORK/$name.$w.json" 2>"$WORK/$name.$w.log" & pids+=($!); done
    for p in "${pids[@]}"; do wait "$p"; rc=$?; [ $rc = 0 ] || [ $rc = 3 ] || { tail -n 5 "$WORK/$name".*.log >&2; fail "a worker ended with $rc"; }; done
    took[workers]=$(since "$began")
    left=$(sql $name "SELECT count(*) FROM chat_sessions"); once=$(sql $name "SELECT count(*) = count(DISTINCT session_id) FROM archiver.archives WHERE state = 'archived'")
    [ "$left$once" = 0t ] || fail "$left sessions are left, each archived once: $once"
    echo "round $round, $workers worker(s): ${took[workers]} s, runs: $(sql $name "SELECT string_agg(shard || '/' || shards || ' ' || sessions_done || ' in ' || round(extract(epoch FROM ended_at - started_at), 1) || ' s by ' || split_part(worker, '/', 2), ', ' ORDER BY started_at) FROM archiver.runs")"
    sql postgres "DROP DATABASE $name"
  done
  echo "round $round: two workers take $(ratio "${took[2]}" "${took[1]}") of one worker's time"
done
