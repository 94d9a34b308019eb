using Archiver.Core.Holds;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>A hold on everything that comes when a removal has chosen what goes and has not begun.</summary>
internal static class LateHold
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Begins to add the hold, starts the removal, and adds the hold when the removal waits for it.</summary>
    public static async Task<T> AddDuringAsync<T>(ArchiverFixture archiver, Func<Task<T>> remove)
    {
        await using var adding = await archiver.Database.DataSource.OpenConnectionAsync(Token);
        await using var transaction = await adding.BeginTransactionAsync(Token);
        await HoldLock.TakeExclusiveAsync(adding, "main", Token);

        var removing = remove();
        await WaitsAsync(archiver);
        await archiver.ExecuteAsync(
            "INSERT INTO archiver.holds (source, to_time, reason, created_by) VALUES ('main', 'infinity', 'case', 'test')",
            null,
            adding
        );
        await transaction.CommitAsync(Token);
        return await removing;
    }

    /// <summary>Until somebody waits for the hold lock.</summary>
    public static Task WaitsAsync(ArchiverFixture archiver) =>
        Eventually.TrueAsync(
            () =>
                archiver.Database.ScalarAsync<bool>(
                    "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND "
                        + "database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
                ),
            Token
        );
}
