# The archiver as a container image: docker build -t archiver .
#
# Not root, and nothing is written outside /tmp: run it with a read-only root file system and a tmpfs or volume on /tmp, large enough
# for the largest compressed sessions in flight. Configuration: environment variables, or a file mounted as /etc/archiver/appsettings.json.
# `docker run archiver` is the always-on worker; `docker run archiver plan` and the other verbs end by themselves.

ARG SDK_IMAGE=mcr.microsoft.com/dotnet/sdk:10.0
ARG RUNTIME_IMAGE=mcr.microsoft.com/dotnet/aspnet:10.0

FROM ${SDK_IMAGE} AS build
WORKDIR /source
ENV DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
# Packages in a layer of their own: only a changed project or lock file downloads them again.
COPY global.json Directory.Build.props Directory.Packages.props BannedSymbols.txt .editorconfig ./
COPY src/Core/Core.csproj src/Core/packages.lock.json src/Core/
COPY src/Worker/Worker.csproj src/Worker/Runtime.props src/Worker/packages.lock.json src/Worker/
RUN dotnet restore src/Worker --locked-mode --runtime linux-x64 -p:PublishReadyToRun=true
COPY sql/ledger sql/ledger
COPY sql/quartz sql/quartz
COPY src src
RUN dotnet publish src/Worker --no-restore --configuration Release --runtime linux-x64 --no-self-contained \
    -p:PublishReadyToRun=true -p:ContinuousIntegrationBuild=true --output /app

FROM ${RUNTIME_IMAGE}
COPY --from=build /app /app
WORKDIR /etc/archiver
# Reachable from outside the container; routes other than health need a key.
# No Kerberos in the image: without the third one the driver looks for its library at each connection, and says so.
# Two heaps of the C library for the runtime's own first threads too; the worker asks for the same (NativeHeap), but not before they run.
ENV Archiver__Http__Urls=http://0.0.0.0:8080 DOTNET_EnableDiagnostics=0 PGGSSENCMODE=disable MALLOC_ARENA_MAX=2
EXPOSE 8080
# The user `app` of Microsoft's images, by number, so that platforms can see that it is not root.
USER 1654
# Alive, not ready: a worker that waits for its database needs no restart. The image has no curl; bash can do without.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
    CMD ["/bin/bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /health/live HTTP/1.0\\r\\n\\r\\n' >&3 && read -r -u 3 line && [[ $line == *' 200 '* ]]"]
ENTRYPOINT ["/app/archiver"]
CMD ["run"]
