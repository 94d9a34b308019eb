#!/bin/bash
# Makes artifacts/precompiled: the executable as it is published, native code, for the tests that start it some hundred times; with the faults that they inject.
# Nothing to do when it is there for the build as it is; tests that find none for their build start the build itself.
set -eu
cd "$(dirname "$0")/.."
to=artifacts/precompiled
# The same, in the same order, as in tests/Worker.Tests/ArchiverExecutable.cs.
stamp() {
  sha256sum src/Worker/bin/Debug/net10.0/{archiver,Archiver.Core}.dll src/Worker/{Worker.csproj,Native.props,Runtime.props,packages.native.lock.json} \
    tests/Testing/{FaultInjection.targets,ProcessFault.cs,ProcessSignal.cs,StartupHook.cs}
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
dotnet publish src/Worker --configuration Release --runtime "$runtime" --artifacts-path "$PWD/$work/build" --output "$PWD/$work/out" \
  -p:CustomAfterMicrosoftCommonTargets="$PWD/tests/Testing/FaultInjection.targets" -p:NativeDebugSymbols=false \
  -p:RestoreLockedMode=true -p:RunAnalyzers=false "${compiler[@]}" -v quiet -nologo
[ "$(stamp)" = "$made_from" ] || { echo "the build changed meanwhile" >&2; exit 1; }
echo "$made_from" >"$work/out/made-from"
rm -rf $to; mv "$work/out" $to
