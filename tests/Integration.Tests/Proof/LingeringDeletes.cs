using Archiver.Testing;

namespace Archiver.Integration.Tests.Proof;

/// <summary>Deletes that take long.</summary>
internal static class LingeringDeletes
{
    internal static readonly TimeSpan AtAll = TimeSpan.FromMilliseconds(1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    internal static Task LingersAsync(ArchiverFixture archiver) =>
        Eventually.TrueAsync(
            async () =>
                await archiver.Database.ScalarAsync<long>(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
                ) > 0,
            Token
        );
}
