using Archiver.Core.Settings;

namespace Archiver.Worker.Tests;

/// <summary>Environment variables that configure <c>archiver</c>.</summary>
internal static class InstallationEnvironment
{
    /// <summary>The configuration of one source with one policy, as environment variables.</summary>
    public static Dictionary<string, string?> Of(string connectionString, StorageSettings storage) =>
        new()
        {
            ["Archiver__Sources__main__ConnectionString"] = connectionString,
            ["Archiver__Sources__main__Preset"] = "ended-at",
            ["Archiver__Sources__main__Policies__idle__Action"] = "Archive",
            ["Archiver__Sources__main__Policies__idle__IdleFor"] = "90d",
            ["Archiver__Storage__Endpoint"] = storage.Endpoint?.ToString(),
            ["Archiver__Storage__Bucket"] = storage.Bucket,
            ["Archiver__Storage__AccessKey"] = storage.AccessKey,
            ["Archiver__Storage__SecretKey"] = storage.SecretKey,
            ["Archiver__Storage__PathStyle"] = "true",
            ["Archiver__Retry__Budget"] = "1s",
            ["Archiver__Safety__MaxShare"] = "1",
            ["Archiver__Http__Urls"] = "http://127.0.0.1:0",
        };
}
