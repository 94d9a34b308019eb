#!/bin/bash
# Makes what people download, in artifacts/release, with SHA256SUMS over all of it. The version is that of Directory.Build.props.
#
#   ./release.sh            archives, tool and sbom
#   ./release.sh PART...    of these: archives   archiver-VERSION-linux-x64.tar.gz and -arm64: one executable that needs no .NET. It is native code where
#                                                this machine can link it: with gcc, for the other architecture with clang and Debian's gcc for that
#                                     tool       archiver[.RUNTIME].VERSION.nupkg: `dotnet tool install --global archiver`
#                                     sbom       archiver-VERSION.cdx.json: every package inside, with licence and hash (CycloneDX)
#                                     image      archiver-VERSION-image.tar.gz for `docker load`; needs Docker, for this machine's architecture
set -euo pipefail
cd "$(dirname "$0")"
OUT=artifacts/release
VERSION=$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' Directory.Build.props)
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1
RELEASE=(--configuration Release -p:ContinuousIntegrationBuild=true -p:RestoreLockedMode=true -p:UseSharedCompilation=false -v quiet)
case $(uname -m) in aarch64) HERE=linux-arm64;; *) HERE=linux-x64;; esac
say() { echo "release.sh: $*" >&2; }

cross_gcc() { case $1 in linux-arm64) echo aarch64-linux-gnu-gcc;; *) echo x86_64-linux-gnu-gcc;; esac; }
has() { command -v "$1" >/dev/null; }
can_link() { if [ "$1" = "$HERE" ]; then has gcc || has clang; else has clang && has "$(cross_gcc "$1")"; fi; } # RUNTIME

archive() { # RUNTIME
  local name=archiver-$VERSION-$1 folder=artifacts/stage/archiver-$VERSION-$1 form=()
  can_link "$1" || {
    say "$1 is not native: that needs gcc for this machine's architecture, clang and $(cross_gcc "$1") for the other"
    # A release must be what it says it is.
    [ -z "${CI:-}" ] || return 1
    form=(--self-contained -p:PublishAot=false -p:PublishSingleFile=true -p:EnableSingleFileAnalyzer=false -p:PublishReadyToRunComposite=false)
  }
  dotnet publish src/Worker "${RELEASE[@]}" --runtime "$1" ${form[@]+"${form[@]}"} --output "$folder" -p:DebugType=none -p:GenerateDocumentationFile=false
  # Levels of the log are as built in; the one file beside the executable would only be mistaken for the configuration.
  rm -f "$folder"/*.json "$folder"/*.config "$folder"/*.xml
  mkdir "$folder/sql"
  cp -r sql/roles.sql sql/schemas sql/quartz "$folder/sql/"
  cp -r LICENSE README.md CHANGELOG.md SECURITY.md docs deploy "$folder/"
  licenses "$folder/licenses"
  # The same bytes from the same commit: order, owner and time are fixed.
  tar -c --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$(git log -1 --format=%ct)" -C artifacts/stage "$name" | gzip -n9 >"$OUT/$name.tar.gz"
}

# Of everything that the executable carries: the runtime, the chart and each package, by what its own package says.
licenses() { # FOLDER
  local store=${NUGET_PACKAGES:-$HOME/.nuget/packages} runtime id version package spec
  runtime=$(dirname "$(readlink -f "$(command -v dotnet)")")
  mkdir "$1"
  cp src/Worker/wwwroot/uPlot.LICENSE "$1/"
  cp "$runtime/LICENSE.txt" "$1/dotnet.LICENSE.txt"; cp "$runtime/ThirdPartyNotices.txt" "$1/dotnet.ThirdPartyNotices.txt"
  sed -n 's/^ *"\([^"]*\)": {$/\1/p; s/^ *"resolved": "\([^"]*\)".*/=\1/p' src/Worker/packages.lock.json |
    awk '/^=/ { print name, substr($0, 2) } { name = $0 }' | sort -u | while read -r id version; do
      package=$store/${id,,}/$version spec=$store/${id,,}/$version/${id,,}.nuspec
      [ -f "$spec" ] || { say "$spec is not there: dotnet restore"; return 1; }
      # A licence is an expression, or a file in the package.
      echo "$id $version: $(sed -n 's:.*<license type="expression">\(.*\)</license>.*:\1:p; s:.*<license type="file">.*:see the folder:p' "$spec" | head -n 1) $(sed -n 's:.*<copyright>\(.*\)</copyright>.*:\1:p' "$spec" | head -n 1)"
      find "$package" -maxdepth 1 -type f \( -iname 'license*' -o -iname 'notice*' -o -iname 'third*' \) | while read -r file; do
        mkdir -p "$1/$id"; cp "$file" "$1/$id/"
      done
    done >"$1/PACKAGES.txt"
}

archives() { archive linux-x64; archive linux-arm64; }

# For machines with .NET: the package that is installed only names those with the program, one for each runtime.
tool() { dotnet pack src/Worker "${RELEASE[@]}" --output "$OUT" -p:PackAsTool=true -p:PublishReadyToRun=true; }

sbom() {
  dotnet tool restore >/dev/null
  dotnet CycloneDX src/Worker/Worker.csproj --output "$OUT" --filename "archiver-$VERSION.cdx.json" --output-format Json --set-name archiver --set-version "$VERSION" \
    --set-type Application --exclude-filter Microsoft.CodeAnalysis.BannedApiAnalyzers,Microsoft.DotNet.ILCompiler,Microsoft.NET.ILLink.Tasks --disable-package-restore >artifacts/stage/sbom.log 2>&1 || { tail -n 20 artifacts/stage/sbom.log >&2; return 1; }
}

image() {
  docker build --quiet --tag "archiver:$VERSION" . >&2
  docker save "archiver:$VERSION" | gzip -n9 >"$OUT/archiver-$VERSION-image.tar.gz"
}

for part in "$@"; do
  case $part in archives|tool|sbom|image) ;; *) sed -n '2,9s/^# \{0,1\}//p' "$0"; [[ $part == -h || $part == --help ]] && exit 0; exit 2;; esac
done
[ $# != 0 ] || set -- archives tool sbom
rm -rf artifacts/stage "$OUT"; mkdir -p artifacts/stage "$OUT"
for part in "$@"; do say "$part"; "$part"; done
(cd "$OUT" && sha256sum -- * >SHA256SUMS && cat SHA256SUMS)
