#!/bin/bash
# Makes artifacts/precompiled: the executable as it is published, native code, for the tests that start it some hundred times; with the faults that they inject.
# Nothing to do when it is there for the build as it is; tests that find none for their build start the build itself.
# What it made is kept in the user's cache, for other clones of the same sources: it is a fifth of a whole test run's CPU time.
set -eu
cd "$(dirname "$0")/.."
to=artifacts/precompiled
# The same, in the same order, as in tests/Worker.Tests/ArchiverExecutable.cs.
stamp() {
  sha256sum src/Worker/bin/Debug/net10.0/{archiver,Archiver.Core}.dll src/Worker/{Worker.csproj,Native.props,Runtime.props,packages.native.lock.json} \
    tests/Testing/{FaultInjection.targets,ProcessFault.cs,ProcessSignal.cs,StartupHook.cs}
}
# All that may change the executable: more than does, so that none is taken for another's.
inputs() {
  find src sql Directory.* global.json tests/precompile.sh tests/Testing/{FaultInjection.targets,ProcessFault.cs,ProcessSignal.cs,StartupHook.cs} \
    \( -name bin -o -name obj \) -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
  { uname -m; dotnet --version; cc --version; clang --version; ld --version; ldd --version; } 2>/dev/null
}
kept=${XDG_CACHE_HOME:-~/.cache}/archiver-tests/precompiled
keep() { # FOLDER: whole or not at all; the three that were used last stay
  find "$kept" -maxdepth 1 -name '.new-*' -mmin +60 -exec rm -rf {} + 2>/dev/null || true
  mkdir -p "$kept" && mine=$(mktemp -d "$kept/.new-XXXXXX") && cp -r "$1/." "$mine" && mv -T "$mine" "$kept/$key" || rm -rf "${mine:-}"
  ls -dt "$kept"/*/ 2>/dev/null | tail -n +4 | xargs -r rm -rf
}
made_from=$(stamp) || { echo "build first" >&2; exit 1; }
[ "$(cat $to/made-from 2>/dev/null)" != "$made_from" ] || exit 0
mkdir -p artifacts; exec 9>artifacts/precompiled.lock; flock 9
[ "$(cat $to/made-from 2>/dev/null)" != "$made_from" ] || exit 0
work=$(mktemp -d artifacts/precompiled-XXXXXX); trap 'rm -rf "$work"' EXIT
# Everything of its own, so that it can run beside tests; no compiler stays behind but the one that test.sh lends, which has just compiled the same.
compiler=(-p:UseSharedCompilation=false)
[ -z "${SHARED_COMPILER_ID:-}" ] || compiler=(-p:UseSharedCompilation=true -p:SharedCompilationId="$SHARED_COMPILER_ID")
case $(uname -m) in aarch64) runtime=linux-arm64;; *) runtime=linux-x64;; esac
# The native compiler collects its garbage for a server with many cores; on two that is a tenth of its time.
export DOTNET_gcServer=0 DOTNET_gcConcurrent=0 DOTNET_GCgen0size=0x10000000
# A debugger's symbols are twice as large as the executable, and no test reads them.
publish() {
  dotnet publish src/Worker --configuration Release --runtime "$runtime" --artifacts-path "$PWD/$work/build" --output "$PWD/$work/out" \
    -p:CustomAfterMicrosoftCommonTargets="$PWD/tests/Testing/FaultInjection.targets" -p:NativeDebugSymbols=false \
    -p:RestoreLockedMode=true -p:RunAnalyzers=false "${compiler[@]}" -v quiet -nologo
}
key=$(inputs | sha256sum | cut -d ' ' -f 1)
if cp -r "$kept/$key" "$work/out" 2>/dev/null; then touch "$kept/$key"
else
  rm -rf "$work/out"; publish
  [ "$(inputs | sha256sum | cut -d ' ' -f 1)" != "$key" ] || keep "$work/out"
fi
[ "$(stamp)" = "$made_from" ] || { echo "the build changed meanwhile" >&2; exit 1; }
echo "$made_from" >"$work/out/made-from"
rm -rf $to; mv "$work/out" $to
