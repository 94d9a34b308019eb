#!/bin/bash
# The process of the S3 container: rgw.sh's gateway on port 8000 over /data, until the container is stopped.
#
#   RGW_ACCESS, RGW_SECRET   the keys, taken when /data is empty
#   S3_BUCKETS               buckets to make, separated by blanks
#   s3.sh health             is it up, with its buckets?
set -u
DIR=/data/cluster READY=/tmp/ready CHILD=
say() { echo "s3.sh: $*" >&2; }

if [ "${1:-}" = health ]; then
  [ -e $READY ] && exec 3<>/dev/tcp/127.0.0.1/8000 && printf 'GET / HTTP/1.0\r\n\r\n' >&3 && read -r -t 3 -u 3 line && [[ $line == *' 200 '* ]]
  exit
fi

# As process 1 it gets signals only while it waits, so whatever takes time runs in the background.
run() { local rc; "$@" & CHILD=$!; wait "$CHILD"; rc=$?; CHILD=; return $rc; }
stop() {
  trap '' TERM INT
  [ -z "$CHILD" ] || { kill "$CHILD"; wait "$CHILD"; } 2>/dev/null
  [ ! -e $DIR/env ] || rgw.sh stop $DIR
  exit 0
}
trap stop TERM INT

rm -f $READY
if [ -e $DIR/env ]; then
  grep -qxF "S3_ACCESS_KEY=${RGW_ACCESS:-test-access}" $DIR/env && grep -qxF "S3_SECRET_KEY=${RGW_SECRET:-test-secret}" $DIR/env ||
    { say "the data in /data were made with other keys; give those, or remove the volume"; exit 1; }
  run rgw.sh start $DIR || exit 1
else
  # What it prints holds the keys.
  run rgw.sh up $DIR 8000 >/dev/null || exit 1
fi
for bucket in ${S3_BUCKETS:-}; do run rgw.sh make-bucket $DIR "$bucket" || exit 1; done
: >$READY
say "S3 on port 8000${S3_BUCKETS:+, buckets: $S3_BUCKETS}"
run tail --pid="$(cat $DIR/rgw.pid)" -f /dev/null
say "the gateway has ended"
rgw.sh stop $DIR
exit 1
