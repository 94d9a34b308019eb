#!/bin/bash
# Checks docs/model/delete.pml with spin (Debian: apt-get install spin gcc libc6-dev): the invariant must hold, and must fail when any one
# of the rules is taken out. Prints a line for each; ends with 0 only when all are as they should be.
set -u
model=$(cd "$(dirname "$0")" && pwd)/delete.pml
work=$(mktemp -d "${TMPDIR:-/tmp}/archiver-model-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

check() { # NAME EXPECTED [MACROS...]: EXPECTED is holds or fails
  local name=$1 expected=$2 found states; shift 2
  spin "$@" -a "$model" >spin.log 2>&1 && cc -O1 -w -DSAFETY -DCOLLAPSE -o pan pan.c >cc.log 2>&1 || { cat spin.log cc.log >&2; exit 1; }
  ./pan -m100000 -E >pan.log 2>&1   # -E: a writer that waits for ever in the end is not the question
  states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' pan.log)
  if grep -q 'max search depth too small\|out of memory' pan.log; then found=unfinished
  elif grep -q '^State-vector.*errors: 0$' pan.log; then found=holds
  elif grep -q 'assertion violated' pan.log; then found=fails
  else found=unknown; cat pan.log >&2; fi
  echo "$name: the invariant $found ($states states)"
  [ "$found" = "$expected" ] || { echo "$name: expected that it $expected" >&2; failed=1; }
}

failed=0
check "all rules" holds
check "without the fingerprint" fails -DNO_FINGERPRINT
check "all rules, four writers" holds -DEDITS -DWRITERS=4
check "fingerprint by sum of transaction ids" fails -DEDITS -DWRITERS=4 -DXMIN_SUM
check "without the lock" fails -DNO_LOCK
check "delete before the object" fails -DDELETE_FIRST
check "without the lease" fails -DNO_LEASE
exit $failed
