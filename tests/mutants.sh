#!/bin/bash
# Breaks the code on purpose, one fault at a time, and names the test that notices. A test that cannot fail proves nothing.
# The faults stand in tests/mutants.txt. One takes about half a minute, so all of them are for a person to start; the result goes into docs/proof.md.
#
#   tests/mutants.sh                all of them, at the last commit
#   tests/mutants.sh 'lease|lock'   those whose description matches, as grep -E does
#   PART=1/2 tests/mutants.sh       the first of every two; PART=2/2 beside it takes the others
#   tests/mutants.sh --check        builds and runs nothing, and tells only which are stale; MutantListTests does so in each run of the tests
#
# Ends with `N noticed, N survived, N stale`; stale is a fault whose line is no longer in the code, or that no longer compiles.
set -u
cd "$(dirname "$0")/.." || exit 1
CHECK=; [ "${1:-}" != --check ] || { CHECK=1; shift; }
ROOT=$PWD ONLY=${1:-} PART=${PART:-1/1}
ME=mutants.sh WORK_PREFIX=archiver-mutants WITH_TOOLS=1
. tests/Testing/servers/common.sh
export CI=true DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1

prepare() {
  install_servers
  start_server postgres; local postgres=${PIDS[-1]}
  start_server rgw; local rgw=${PIDS[-1]}
  git clone -q "$ROOT" "$WORK/tree" || fail "cannot clone $ROOT"
  cd "$WORK/tree" || exit 1
  await_server postgres "$postgres"; await_server rgw "$rgw"
  export ARCHIVER_TEST_POSTGRES ARCHIVER_TEST_S3_ENDPOINT ARCHIVER_TEST_S3_ACCESS_KEY ARCHIVER_TEST_S3_SECRET_KEY ARCHIVER_TEST_RGW_DIR=$WORK/rgw
  ARCHIVER_TEST_POSTGRES=$(value postgres POSTGRES_CONNECTION) ARCHIVER_TEST_S3_ENDPOINT=$(value rgw S3_ENDPOINT)
  ARCHIVER_TEST_S3_ACCESS_KEY=$(value rgw S3_ACCESS_KEY) ARCHIVER_TEST_S3_SECRET_KEY=$(value rgw S3_SECRET_KEY)
  for project in Core Integration Worker; do build "tests/$project.Tests" || fail "the build failed: $(grep -m1 -o 'error.*' "$WORK/build.log")"; done
}

# A broken line may leave a variable unused: no warning is an error here.
build() { compile dotnet build "$@" -v quiet "${SHARED_COMPILER[@]}" -p:RunAnalyzers=false -p:TreatWarningsAsErrors=false >"$WORK/build.log" 2>&1; }

# Puts the fault into what `tests/PROJECT` runs. Only the broken assembly is compiled, in a third of the time, unless a line was changed that others compile in.
build_fault() {
  local changed part assembly folder
  changed=$(git diff --unified=0)
  ! grep -qE '^[-+].*\<(public|internal|const)\>' <<<"$changed" || { build "tests/$1"; return; }
  for part in Core:Archiver.Core Worker:archiver; do
    assembly=${part#*:}.dll
    part=src/${part%:*}
    build "$part" --no-restore --no-dependencies || return
    for folder in src/Worker tests/*; do
      ! [ -f "$folder/bin/Debug/net10.0/$assembly" ] || cp "$part/obj/Debug/net10.0/$assembly" "$folder/bin/Debug/net10.0/" || return
    done
  done
}

# The first failed tests of `PROJECT CLASS[.METHOD]`; fails where none ran.
failed_tests() {
  local project=$1 pattern=$2 filter=(--filter-class "*.$2") rc
  case $pattern in *.*) filter=(--filter-method "*.$pattern");; esac
  timeout 600 dotnet test --project "tests/$project" --no-build --no-ansi --no-progress --stop-on-fail on "${filter[@]}" >"$WORK/test.log" 2>&1 </dev/null; rc=$?
  # 2: tests failed; 8: none ran; anything else is a host that the fault brought down, or one that hangs for ten minutes.
  case $rc in 0) ;; 8) return 1;; *) sed -n 's/^failed \([^ (]*\).*/\1/p' "$WORK/test.log" | sed 's/.*\.\([^.]*\.[^.]*\)$/\1/' | sort -u | paste -sd' ' | grep . || echo "the run ended with $rc";; esac
}

# Applies `FILE<tab>COMMAND` pairs; says what is wrong with one.
apply() {
  local edit path
  for edit in "$@"; do
    path=$(grep -E "(^|/)${edit%%$'\t'*}$" "$WORK/files")
    [ -n "$path" ] && [ "$(wc -l <<<"$path")" = 1 ] || { echo "not one file is named ${edit%%$'\t'*}"; return 1; }
    sed -E "${edit#*$'\t'}" "$path" >"$WORK/edited" || { echo "no sed command: ${edit#*$'\t'}"; return 1; }
    ! cmp -s "$WORK/edited" "$path" || { echo "its line is not in $path"; return 1; }
    [ -n "$CHECK" ] || cp "$WORK/edited" "$path"
  done
}
# Says which test of `PROJECT CLASS[.METHOD]`s there is none of.
find_tests() {
  local red class
  for red in "$@"; do
    class=${red#* }; class=${class%%.*}
    grep -qE "(^|/)$class\.cs$" "$WORK/files" || { echo "no test class is named $class"; return 1; }
  done
}

try() {
  local red tests= problem=
  problem=$(apply "${edits[@]}") && problem=$(find_tests "${reds[@]}") || { count stale "$problem"; return; }
  [ -z "$CHECK" ] || return 0
  for red in "${reds[@]}"; do
    build_fault "${red%% *}" || { count stale "does not compile: $(grep -m1 -o 'error.*' "$WORK/build.log" | cut -c1-120)"; return; }
    tests=$(failed_tests "${red%% *}" "${red#* }") || { count stale "no test is named $red"; return; }
    [ -z "$tests" ] || { count noticed "$tests"; return; }
  done
  count SURVIVED "${reds[*]}"
}

noticed=0 SURVIVED=0 stale=0
count() { # OUTCOME DETAIL
  printf -v "$1" %s "$((${!1} + 1))"
  echo "$1 | $what | $2"
  [ -n "$CHECK" ] || git checkout -q .
}

[ -n "$CHECK" ] || prepare
git ls-files src sql tests >"$WORK/files"

what= file= edits=() reds=() entries=0
flush() {
  [ -z "$what" ] || ! [[ $what =~ $ONLY ]] || (( entries++ % ${PART#*/} != ${PART%/*} - 1 )) || try
  what= file= edits=() reds=()
}
while IFS= read -r entry <&3; do
  case $entry in
    "## "*|"") ;;
    "# "*) flush; what=${entry#\# };;
    "file "*) file=${entry#file };;
    "sed "*) edits+=("$file"$'\t'"${entry#sed }");;
    "red "*) reds+=("${entry#red }");;
    *) fail "tests/mutants.txt: what is '$entry'?";;
  esac
done 3<tests/mutants.txt
flush
echo "$noticed noticed, $SURVIVED survived, $stale stale"
[ $((SURVIVED + stale)) = 0 ]
