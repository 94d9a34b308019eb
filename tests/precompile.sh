#!/bin/bash
# Makes artifacts/precompiled: the executable as it is published, native code, for the tests that start it some hundred times; with the faults that they inject.
# Nothing to do when it is there for the build as it is; tests that find none for their build start the build itself.
set -eu
cd "$(dirname "$0")/.."
built=src/Worker/bin/Debug/net10.0 to=artifacts/precompiled
stamp() { (cd $built && sha256sum archiver.dll Archiver.Core.dll); }
[ -f $built/archiver.dll ] || { echo "build first: $built is not there" >&2; exit 1; }
made_from=$(stamp)
[ "$(cat $to/made-from 2>/dev/null)" != "$made_from" ] || exit 0
mkdir -p artifacts; exec 9>artifacts/precompiled.lock; flock 9
[ "$(cat $to/made-from 2>/dev/null)" != "$made_from" ] || exit 0
work=$(mktemp -d artifacts/precompiled-XXXXXX); trap 'rm -rf "$work"' EXIT
# Everything of its own, so that it can run beside tests; no compiler stays behind but the one that test.sh lends, which has just compiled the same.
compiler=(-p:UseSharedCompilation=false)
[ -z "${SHARED_COMPILER_ID:-}" ] || compiler=(-p:UseSharedCompilation=true -p:SharedCompilationId="$SHARED_COMPILER_ID")
# Without a debugger's symbols, which take the compiler a third of its time.
dotnet publish src/Worker --configuration Release --runtime linux-x64 --artifacts-path "$PWD/$work/build" --output "$PWD/$work/out" \
  -p:CustomAfterMicrosoftCommonTargets="$PWD/tests/Testing/FaultInjection.targets" -p:NativeDebugSymbols=false \
  -p:RestoreLockedMode=true -p:RunAnalyzers=false "${compiler[@]}" -v quiet -nologo
[ "$(stamp)" = "$made_from" ] || { echo "the build changed meanwhile" >&2; exit 1; }
echo "$made_from" >"$work/out/made-from"
rm -rf $to; mv "$work/out" $to
