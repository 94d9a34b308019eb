using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Discard;

/// <summary>What a discard writes into the ledger.</summary>
internal static class DiscardRecords
{
    /// <summary>
    /// Committed before the first object goes: if this process dies over it, nobody takes the missing object for a lost one.
    /// </summary>
    public static async Task BeginRemovalAsync(ManualScope scope, IReadOnlyList<OldObject> due, CancellationToken cancellationToken)
    {
        await using var connection = await scope.Connections.OpenAsync(cancellationToken);
        await connection.ExecuteAsync(DiscardStatements.BeginRemoval, cancellationToken, PgParameter.Bigints(due.Select(o => o.Id)));
    }

    /// <summary>In the caller's transaction: these objects are gone.</summary>
    public static async Task WriteAsync(
        ManualScope scope,
        NpgsqlConnection connection,
        string who,
        IReadOnlyList<OldObject> gone,
        CancellationToken cancellationToken
    )
    {
        if (gone.Count == 0)
            return;
        var objects = await connection.ExecuteAsync(
            DiscardStatements.MarkObjects,
            cancellationToken,
            PgParameter.Bigints(gone.Select(o => o.Id))
        );
        var archives = await connection.ExecuteAsync(
            DiscardStatements.MarkArchives,
            cancellationToken,
            PgParameter.Bigints(gone.Select(o => o.Id))
        );
        var count = DiscardCount.Of(gone);
        if (objects != count.Objects || archives != count.Archives)
            throw new ArchiverException(
                FailureKind.Failed,
                $"The ledger changed {Counted.Of(objects, "object")} and "
                    + $"{Counted.Of(archives, "archive")} where {count.Objects} and {count.Archives} were due: another program works on "
                    + "it. Run the discard again."
            );
        await RunJournal.CountAsync(connection, scope.RunId, new(count.Archives, Rows: 0, StoredBytes: count.Bytes), cancellationToken);
        await AuditAsync(
            connection,
            scope,
            who,
            new()
            {
                ["objects"] = count.Objects,
                ["archives"] = count.Archives,
                ["bytes"] = count.Bytes,
            },
            cancellationToken
        );
    }

    public static Task AuditAsync(
        NpgsqlConnection connection,
        ManualScope scope,
        string who,
        Dictionary<string, long> counts,
        CancellationToken cancellationToken
    ) =>
        AuditLog.WriteAsync(connection, new(who, Discarder.Name, scope.Source.Name, RunId: scope.RunId, Counts: counts), cancellationToken);
}
