using Archiver.Core.Settings;
using Archiver.Core.Storage.S3;

namespace Archiver.Integration.Tests.Storage;

/// <summary>Stores behind a gateway that answers as the test wants.</summary>
internal static class FaultyGateway
{
    internal static StorageSettings Settings(RawHttpServer server, TimeSpan? timeout = null) =>
        new()
        {
            Endpoint = server.Endpoint,
            Bucket = "b",
            AccessKey = "a",
            SecretKey = "s",
            PathStyle = true,
            Timeout = timeout ?? TimeSpan.FromSeconds(30),
        };

    internal static S3ArchiveStore Direct(RawHttpServer server, TimeSpan? timeout = null) =>
        new(Settings(server, timeout), TimeProvider.System);
}
