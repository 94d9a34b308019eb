# The archiver as a container image: docker build -t archiver .
#
# Not root, and nothing is written outside /tmp: run it with a read-only root file system and a tmpfs or volume on /tmp, large enough
# for the largest compressed sessions in flight. Configuration: environment variables, or a file mounted as /etc/archiver/appsettings.json.
# `docker run archiver` is the always-on worker; `docker run archiver plan` and the other verbs end by themselves.
# x64 and arm64; for both at once: docker buildx build --platform linux/amd64,linux/arm64 .

ARG SDK_IMAGE=mcr.microsoft.com/dotnet/sdk:10.0
# The C library, OpenSSL and certificates, without .NET, a shell or a package manager; "extra" has the time zones that schedules are read in.
ARG RUNTIME_IMAGE=mcr.microsoft.com/dotnet/runtime-deps:10.0-noble-chiseled-extra

# On the machine's own architecture, for the one that is asked for: the compiler does not run under emulation.
FROM --platform=${BUILDPLATFORM} ${SDK_IMAGE} AS build
ARG BUILDARCH
ARG TARGETARCH
WORKDIR /source
ENV DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
# gcc links the native code; for another architecture clang does, with its C library.
RUN case $TARGETARCH in \
      $BUILDARCH) tools="gcc libc6-dev";; \
      arm64) tools="clang gcc-aarch64-linux-gnu libc6-dev-arm64-cross";; \
      amd64) tools="clang gcc-x86-64-linux-gnu libc6-dev-amd64-cross";; \
    esac; \
    apt-get -q update && apt-get -q install --yes --no-install-recommends $tools && rm -rf /var/lib/apt/lists/*
# Packages in a layer of their own: only a changed project or lock file downloads them again.
COPY global.json Directory.Build.props Directory.Build.targets Directory.Packages.props BannedSymbols.txt .editorconfig ./
COPY src/Core/Core.csproj src/Core/packages.lock.json src/Core/
COPY src/Worker/Worker.csproj src/Worker/Native.props src/Worker/Runtime.props src/Worker/packages.lock.json src/Worker/packages.native.lock.json src/Worker/
RUN dotnet restore src/Worker --locked-mode --arch $TARGETARCH
COPY sql/ledger sql/ledger
COPY sql/quartz sql/quartz
COPY src src
RUN dotnet publish src/Worker --no-restore --configuration Release --arch $TARGETARCH -p:ContinuousIntegrationBuild=true --output /app
# libdeflate halves the price of compression. The runtime's image has no package manager, so it comes from the packages of the SDK's distribution: unpacked,
# not run, for the architecture that is asked for. Ubuntu keeps those of amd64 and of the others apart.
RUN . /etc/os-release; \
    case $ID-$TARGETARCH in \
      ubuntu-amd64) sed -i 's,ports.ubuntu.com/ubuntu-ports,archive.ubuntu.com/ubuntu,' /etc/apt/sources.list.d/ubuntu.sources;; \
      ubuntu-*) sed -i -E 's,(archive|security).ubuntu.com/ubuntu/?$,ports.ubuntu.com/ubuntu-ports,' /etc/apt/sources.list.d/ubuntu.sources;; \
    esac; \
    apt="apt-get -q -o APT::Architecture=$TARGETARCH -o APT::Architectures=$TARGETARCH"; \
    mkdir /libdeflate && cd /libdeflate && $apt update && $apt download libdeflate0 && dpkg -x libdeflate0_*.deb . \
    && cp -L usr/lib/*/libdeflate.so.0 /app/ && cp usr/share/doc/libdeflate0/copyright /app/libdeflate.copyright

FROM ${RUNTIME_IMAGE}
COPY --from=build /app /app
LABEL org.opencontainers.image.title=archiver org.opencontainers.image.licenses=Apache-2.0
WORKDIR /etc/archiver
# Reachable from outside the container; routes other than health need a key.
# No Kerberos in the image: without the third one the driver looks for its library at each connection, and says so.
# Two heaps of the C library for the runtime's own first threads too; the worker asks for the same (NativeHeap), but not before they run.
ENV Archiver__Http__Urls=http://0.0.0.0:8080 DOTNET_EnableDiagnostics=0 PGGSSENCMODE=disable MALLOC_ARENA_MAX=2
EXPOSE 8080
# The user `app` of Microsoft's images, by number, so that platforms can see that it is not root.
USER 1654
# Alive, not ready: a worker that waits for its database needs no restart. In exec form: there is no shell.
HEALTHCHECK --interval=30s --timeout=10s --start-period=10s CMD ["/app/archiver", "health", "--live"]
ENTRYPOINT ["/app/archiver"]
CMD ["run"]
