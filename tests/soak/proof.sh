#!/bin/bash
# The long proof of no loss: 200 kills of archive runs, 40 of restores, 20 database restarts and 35 mishaps (a renamed source, a moved bucket, a copy
# of the database, ...) under load, for a person to start; half an hour. Its result goes into docs/proof.md. Needs the servers that ./test.sh installs.
#
#   tests/soak/proof.sh [KILLS] [RESTARTS] [SEED] [RESTORES] [MISHAPS]
set -eu
cd "$(dirname "$0")/../.."
report=$(mktemp)
trap 'rm -f "$report"' EXIT
export ARCHIVER_PROOF_KILLS=${1:-200} ARCHIVER_PROOF_RESTARTS=${2:-20} ARCHIVER_PROOF_SEED=${3:-1} ARCHIVER_PROOF_RESTORES=${4:-40} ARCHIVER_PROOF_MISHAPS=${5:-35} ARCHIVER_PROOF_REPORT=$report CI=true
dotnet build tests/Worker.Tests -m:1 -v quiet
dotnet test --project tests/Worker.Tests --no-build --no-ansi --no-progress --filter-class '*.LongProof'
sed -i -e '/^<!-- result -->$/,/^<!-- end of result -->$/{//!d}' -e "/^<!-- result -->\$/{
r $report
}" docs/proof.md
sed -i 's|^Last run: .*|Last run: '"$(date -u +%F), commit $(git rev-parse --short HEAD), PostgreSQL $(ls -d /usr/lib/postgresql/* | sort -V | tail -n1 | sed 's:.*/::')"'|' docs/proof.md
sed -n '/^<!-- result -->$/,/^<!-- end of result -->$/p' docs/proof.md
