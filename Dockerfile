# The archiver as a container image: docker build -t archiver .
#
# Not root, and nothing is written outside /tmp: run it with a read-only root file system and a tmpfs or volume on /tmp, large enough
# for the largest compressed sessions in flight. Configuration: environment variables, or a file mounted as /etc/archiver/appsettings.json.
# No HEALTHCHECK yet: there is no health endpoint in this version.

ARG SDK_IMAGE=mcr.microsoft.com/dotnet/sdk:10.0
ARG RUNTIME_IMAGE=mcr.microsoft.com/dotnet/aspnet:10.0

FROM ${SDK_IMAGE} AS build
WORKDIR /source
ENV DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
# Packages in a layer of their own: only a changed project or lock file downloads them again.
COPY global.json Directory.Build.props Directory.Packages.props BannedSymbols.txt .editorconfig ./
COPY src/Core/Core.csproj src/Core/packages.lock.json src/Core/
COPY src/Worker/Worker.csproj src/Worker/packages.lock.json src/Worker/
RUN dotnet restore src/Worker --locked-mode --runtime linux-x64 -p:PublishReadyToRun=true
COPY sql/ledger sql/ledger
COPY src src
RUN dotnet publish src/Worker --no-restore --configuration Release --runtime linux-x64 --no-self-contained \
    -p:PublishReadyToRun=true -p:ContinuousIntegrationBuild=true --output /app

FROM ${RUNTIME_IMAGE}
COPY --from=build /app /app
WORKDIR /etc/archiver
# Reachable from outside the container; routes other than health need a key.
ENV Archiver__Http__Urls=http://0.0.0.0:8080 DOTNET_EnableDiagnostics=0
EXPOSE 8080
# The user `app` of Microsoft's images, by number, so that platforms can see that it is not root.
USER 1654
ENTRYPOINT ["/app/archiver"]
CMD ["run"]
