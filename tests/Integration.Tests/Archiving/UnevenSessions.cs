using System.Globalization;
using Archiver.Core.Settings;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Archiving;

/// <summary>Sessions of uneven size, and the batches that became of them.</summary>
public abstract class UnevenSessions(TestServers servers)
{
    private protected TestServers Servers { get; } = servers;

    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    private protected Task<ArchiverFixture> CreateAsync(Func<BatchSettings, BatchSettings> batch) =>
        ArchiverFixture.CreateAsync(Servers, Token, idle: 0, young: 1, messages: 1, configure: s => Bundled(s, batch));

    private protected static ArchiverSettings Bundled(ArchiverSettings settings, Func<BatchSettings, BatchSettings> batch) =>
        settings with
        {
            Batch = batch(settings.Batch),
            Storage = settings.Storage with { Layout = StorageLayout.Bundle },
        };

    /// <summary>The sessions' numbers, batch by batch.</summary>
    private protected static async Task<List<int[]>> BatchesAsync(ArchiverFixture archiver) => [.. (
                await archiver.Database.ScalarAsync<string>(
                    """
                    SELECT string_agg(b.users, ';' ORDER BY b.object_id)
                    FROM (SELECT a.object_id, string_agg(a.user_id, ' ' ORDER BY a.byte_offset) AS users FROM archiver.archives AS a
                      WHERE a.state = 'archived' GROUP BY 1) AS b
                    """,
                    Token
                )
            )!.Split(';').Select(b => b.Split(' ').Select(n => int.Parse(n, CultureInfo.InvariantCulture)).ToArray())];
}
