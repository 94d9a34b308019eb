using Archiver.Testing;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>Keys of the sessions that a plan or a run names.</summary>
internal static class PlannedKeys
{
    internal static async Task<List<string>> KeysAsync(ArchiverFixture archiver, string sql) =>
        [.. (await archiver.Database.CopyOutAsync(sql)).Split('\n', StringSplitOptions.RemoveEmptyEntries)];
}
