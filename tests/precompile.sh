#!/bin/bash
# Makes artifacts/precompiled: the executable as it is published, native code, for the tests that start it some hundred times; with the faults that they inject.
# Nothing to do when it is there for the build as it is; tests that find none for their build start the build itself.
# It is kept in the user's cache for other clones with the same committed sources: to make it takes a fifth of a whole test run's CPU time.
set -eu
cd "$(dirname "$0")/.."
to=artifacts/precompiled
faults=(tests/Testing/{FaultInjection.targets,ProcessFault.cs,ProcessSignal.cs,StartupHook.cs})
# The same, in the same order, as in tests/Worker.Tests/ArchiverExecutable.cs.
stamp() {
  sha256sum src/Worker/bin/Debug/net10.0/{archiver,Archiver.Core}.dll src/Worker/{Worker.csproj,Native.props,Runtime.props,packages.native.lock.json} \
    "${faults[@]}"
}
# Prints what git calls the sources, and the versions of what compiles them. Fails when a source is not as it is committed: then nothing is taken or kept.
inputs() {
  local tool changed sources=(src sql global.json Directory.Build.props Directory.Build.targets Directory.Packages.props tests/precompile.sh "${faults[@]}")
  changed=$(git status --porcelain --untracked-files=all -- "${sources[@]}") && [ -z "$changed" ] || return
  git ls-tree HEAD -- "${sources[@]}" && uname -m && dotnet --version || return
  # The native compiler links with what it finds of these.
  for tool in clang gcc ld.bfd llvm-objcopy objcopy ldd; do echo "$tool"; "$tool" --version || true; done
  # The build takes these from the environment as its properties.
  env | grep -iE '^(PublishAot|Ilc[a-z]*|LinkerFlavor|CppCompilerAndLinker|SysRoot|StripSymbols|DefineConstants)=' | LC_ALL=C sort
}
# Prints nothing when they are not known.
digest() { local all; all=$(inputs 2>/dev/null) && sha256sum <<<"$all" | cut -c 1-64; }
kept=${XDG_CACHE_HOME:-~/.cache}/archiver-tests
# One file: it is there wholly or not at all, also while another clone reads or removes it. The three that were used last stay.
keep() { # FOLDER DIGEST
  local new
  find "$kept" -name '.new-*' -mmin +60 -delete 2>/dev/null
  mkdir -p "$kept" && new=$(mktemp "$kept/.new-XXXXXX") || return
  tar -cf "$new" -C "$1" . && sync "$new" && mv "$new" "$kept/$2.tar" || { rm -f "$new"; return 1; }
  cd "$kept" && ls -t -- *.tar | tail -n +4 | xargs -r rm -f --
}
take() { # FOLDER DIGEST
  mkdir "$1" && touch -c "$kept/$2.tar" && tar -xf "$kept/$2.tar" -C "$1"
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
key=$(digest) || key=
if [ -z "$key" ] || ! take "$work/out" "$key" 2>/dev/null; then
  rm -rf "$work/out"
  # A debugger's symbols are twice as large as the executable, and no test reads them.
  dotnet publish src/Worker --configuration Release --runtime "$runtime" --artifacts-path "$PWD/$work/build" --output "$PWD/$work/out" \
    -p:CustomAfterMicrosoftCommonTargets="$PWD/tests/Testing/FaultInjection.targets" -p:NativeDebugSymbols=false \
    -p:RestoreLockedMode=true -p:RunAnalyzers=false "${compiler[@]}" -v quiet -nologo
  [ -z "$key" ] || [ "$(digest)" != "$key" ] || (keep "$work/out" "$key") || echo "it could not be kept in $kept" >&2
fi
[ "$(stamp)" = "$made_from" ] || { echo "the build changed meanwhile" >&2; exit 1; }
echo "$made_from" >"$work/out/made-from"
rm -rf $to; mv "$work/out" $to
