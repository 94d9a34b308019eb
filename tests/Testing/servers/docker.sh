# Sourced, after common.sh: Docker's engine for tests/container.sh and tests/containers.sh, and the base images that ours start from, also on a
# machine that reaches no registry of images.
#
#   install_docker          Debian's docker.io, and the compose and buildx plugins where there are none; as root
#   start_docker            the engine that runs is used, or one is started for this run alone, which ends with everything in it
#   base_image NAME...      what is neither there nor in a registry is made from Debian's packages and this machine's .NET SDK, under its real name
#   docker_end              for finish_more

# shellcheck shell=bash
DOCKERD=
SDK_IMAGE=mcr.microsoft.com/dotnet/sdk:10.0
RUNTIME_IMAGE=mcr.microsoft.com/dotnet/runtime-deps:10.0-noble-chiseled-extra
POSTGRES_IMAGE=postgres:17
DEBIAN_IMAGE=debian:bookworm-slim
# Keeps the root file systems for the next run where it is set.
ROOTS=${ARCHIVER_TEST_ROOTS:-$WORK}
DEBIAN_MIRROR=${DEBIAN_MIRROR:-http://deb.debian.org/debian}

engine_runs() { docker info >/dev/null 2>&1; }

install_docker() {
  local packages=() path=$PATH:/usr/sbin
  PATH=$path command -v docker >/dev/null || packages+=(docker.io)
  engine_runs || PATH=$path command -v dockerd >/dev/null || packages+=(docker.io)
  PATH=$path command -v debootstrap >/dev/null || packages+=(debootstrap)
  command -v curl >/dev/null || packages+=(curl)
  [ ${#packages[@]} = 0 ] || { apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "${packages[@]}"; } >"$WORK/apt.log" 2>&1 </dev/null ||
    { tail -n 5 "$WORK/apt.log" >&2; fail "cannot install ${packages[*]}"; }
  docker compose version >/dev/null 2>&1 && docker buildx version >/dev/null 2>&1 || install_plugins
}

# Debian 12 has no compose plugin; that of Debian 13 needs nothing newer. It is only unpacked, for this run.
install_plugins() {
  local apt=$WORK/apt
  mkdir -p "$apt"/{lists/partial,cache/archives/partial,parts} "$WORK/docker-config/cli-plugins"
  chmod 755 "$apt"
  printf 'Types: deb\nURIs: %s\nSuites: trixie\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n' "$DEBIAN_MIRROR" >"$apt/parts/trixie.sources"
  local get=(apt-get -qq -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$apt/parts" -o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt/cache" -o APT::Sandbox::User=root)
  { "${get[@]}" update && (cd "$apt" && "${get[@]}" download docker-compose docker-buildx); } >"$WORK/apt.log" 2>&1 || { tail -n 5 "$WORK/apt.log" >&2; fail "cannot get Debian's docker-compose and docker-buildx"; }
  local package; for package in "$apt"/*.deb; do dpkg -x "$package" "$apt/unpacked"; done
  cp "$apt"/unpacked/usr/libexec/docker/cli-plugins/* "$WORK/docker-config/cli-plugins/" || fail "Debian's packages hold no plugins"
  export DOCKER_CONFIG=$WORK/docker-config
}

start_docker() {
  engine_runs && return
  [ "$(id -u)" = 0 ] || fail "needs root, for Docker's engine"
  say "starting Docker's engine"
  ( for fd in ${FDS[@]+"${FDS[@]}"}; do exec {fd}>&-; done
    exec /usr/sbin/dockerd --host "unix://$WORK/docker.sock" --data-root "$WORK/docker" --exec-root "$WORK/docker-exec" --pidfile "$WORK/docker.pid" >"$WORK/dockerd.log" 2>&1 ) &
  DOCKERD=$!
  export DOCKER_HOST=unix://$WORK/docker.sock
  for _ in $(seq 300); do engine_runs && return; [ -d "/proc/$DOCKERD" ] || break; sleep .2; done
  tail -n 20 "$WORK/dockerd.log" >&2
  fail "Docker's engine does not start"
}

docker_end() {
  [ -n "$DOCKERD" ] || return 0
  kill "$DOCKERD" 2>/dev/null; timeout 60 tail --pid="$DOCKERD" -f /dev/null
  # What an engine that was killed leaves mounted would keep the folder.
  umount -q "$WORK"/docker/overlay2/*/merged "$WORK"/docker-exec/netns/* 2>/dev/null
}

base_image() { # NAME...
  local name
  for name in "$@"; do
    docker image inspect "$name" >/dev/null 2>&1 || timeout 600 docker pull --quiet "$name" >/dev/null 2>&1 && continue
    say "no registry has $name: making it"
    case $name in
      "$DEBIAN_IMAGE") root_of bookworm; import "$name" <(tar -c -C "$ROOTS/bookworm" --exclude ./var/cache/apt/archives .);;
      "$SDK_IMAGE") make_sdk;;
      "$RUNTIME_IMAGE") make_runtime;;
      "$POSTGRES_IMAGE") make_postgres;;
      *) fail "do not know how to make $name";;
    esac
  done
}

root_of() { # SUITE PACKAGES...: a root file system in WORK
  local suite=$1; shift
  [ ! -e "$ROOTS/$suite/etc" ] || return 0
  local with=ca-certificates,libssl3,tzdata; [ $# = 0 ] || with=$(IFS=,; echo "$*")
  debootstrap --variant=minbase --include="$with" "$suite" "$ROOTS/$suite" "$DEBIAN_MIRROR" >"$WORK/debootstrap.log" 2>&1 || { tail -n 5 "$WORK/debootstrap.log" >&2; fail "debootstrap failed"; }
  # Certificates of this machine: its way to the registries of packages may need one of its own.
  mkdir -p "$ROOTS/$suite/etc/ssl/certs" && cp -a /etc/ssl/certs/. "$ROOTS/$suite/etc/ssl/certs/"
}

import() { # NAME TAR CHANGES...
  local name=$1 tar=$2 changes=() change; shift 2
  for change in "$@"; do changes+=(--change "$change"); done
  docker import ${changes[@]+"${changes[@]}"} - "$name" >/dev/null <"$tar" || fail "docker import $name failed"
}

dotnet_folder() { dirname "$(readlink -f "$(command -v dotnet)")"; }

make_sdk() {
  root_of bookworm
  local dotnet; dotnet=$(dotnet_folder)
  import $SDK_IMAGE <(tar -c -C "$ROOTS/bookworm" --exclude ./var/cache/apt/archives . -C / "${dotnet#/}"/{dotnet,host,shared,sdk,sdk-manifests,packs}) \
    "ENV PATH=$dotnet:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin DOTNET_ROOT=$dotnet NUGET_CERT_REVOCATION_MODE=offline DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1"
}

# As Microsoft's: libraries, certificates and time zones; no .NET, no shell, no package manager, a user `app`.
make_runtime() {
  root_of bookworm
  local root=$ROOTS/bookworm
  rm -rf "$WORK/chiseled"; mkdir -p "$WORK/chiseled"/{etc,tmp}; chmod 1777 "$WORK/chiseled/tmp"
  printf 'root:x:0:0:root:/root:/sbin/nologin\napp:x:1654:1654::/home/app:/sbin/nologin\n' >"$WORK/chiseled/etc/passwd"
  # dpkg knows files by the names from before /lib became a link to /usr/lib.
  { printf '%s\n' /lib /lib64; (cd "$root" && find etc/ssl/certs ! -type d)
    cat "$root"/var/lib/dpkg/info/{libc6,libgcc-s1,libstdc++6,libssl3,ca-certificates,tzdata}{,:amd64,:arm64}.list 2>/dev/null
  } | sed -E 's#^/(lib|lib64)/#/usr/\1/#; s#^/##; \#^usr/share/(doc|man|lintian)#d' | sort -u |
    while read -r file; do [ -d "$root/$file" ] && [ ! -L "$root/$file" ] || echo "$file"; done >"$WORK/chiseled.list"
  import $RUNTIME_IMAGE <(tar -c -C "$WORK/chiseled" . -C "$root" --no-recursion -T "$WORK/chiseled.list") "ENV PATH=/usr/local/bin:/usr/bin" "USER 1654"
}

# Debian's PostgreSQL 17 behind what people rely on in the official image: its variables, its folder for first scripts, its data folder.
make_postgres() {
  root_of trixie postgresql-17
  install -m 755 "$SERVERS/images/postgres.sh" "$ROOTS/trixie/usr/local/bin/docker-entrypoint.sh"
  mkdir -p "$ROOTS/trixie/docker-entrypoint-initdb.d"
  import $POSTGRES_IMAGE <(tar -c -C "$ROOTS/trixie" --exclude ./var/cache/apt/archives .) \
    "ENV PATH=/usr/lib/postgresql/17/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin PGDATA=/var/lib/postgresql/data" \
    "VOLUME /var/lib/postgresql/data" "EXPOSE 5432" 'ENTRYPOINT ["docker-entrypoint.sh"]' 'CMD ["postgres"]'
  # A signal for a quick end, which an import cannot have.
  printf 'FROM %s\nSTOPSIGNAL SIGINT\n' $POSTGRES_IMAGE | docker build --quiet --tag $POSTGRES_IMAGE - >/dev/null || fail "docker build of $POSTGRES_IMAGE failed"
}
