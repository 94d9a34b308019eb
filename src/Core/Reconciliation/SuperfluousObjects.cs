using Archiver.Core.Documents;
using Archiver.Core.Holds;
using Archiver.Core.Ledger;
using Archiver.Core.Ownership;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Reconciliation;

/// <summary>
/// Decides which abandoned objects nobody needs (docs/protocol.md rule 21): ours, of a run that ended, old enough, and every session in
/// every version of them either live with the very same rows or kept with the very same rows by another object. In doubt an object stays:
/// keeping one costs cents.
/// </summary>
internal sealed class SuperfluousObjects(
    NpgsqlConnection connection,
    IArchiveReader store,
    SourceSettings source,
    DatabaseIdentity database,
    BucketScan scan,
    LiveDocuments live
)
{
    /// <summary>Why an object stays that a hold covers.</summary>
    public const string Held = "a hold covers it, or may";

    // The age counts from when the ledger gave it up: an object that was only now adopted is no older than that, whenever it was written.
    private static readonly string Abandoned = $"""
        SELECT o.id, o.key, o.version_id,
               EXISTS (SELECT FROM unnest(o.members) AS m (session_id)
                 WHERE NOT ({HoldCondition.IdNotHeld("o.source", "m.session_id")})), o.members
        FROM archiver.objects AS o
        JOIN archiver.runs AS r ON r.id = o.run_id
        WHERE o.location = $1 AND o.source = $2 AND o.state = 'abandoned' AND r.state <> 'running'
          AND coalesce(o.ended_at, o.created_at) < clock_timestamp() - $3::interval AND {RemovedObjects.IsNot}
        ORDER BY o.id
        """;

    private readonly AllObjects _objects = new(store);
    private readonly ObjectExaminer _examiner = new(store, source);

    /// <summary>Asked before anything is adopted: no command adopts an object and removes it.</summary>
    public static async Task<IReadOnlyList<AbandonedObject>> ListAsync(
        NpgsqlConnection connection,
        IArchiveReader store,
        SourceSettings source,
        TimeSpan minimumAge,
        CancellationToken cancellationToken
    ) =>
        await connection.QueryAsync(
            Abandoned,
            row => new AbandonedObject(
                row.GetInt64(0),
                new ObjectName(row.GetString(1), row.TextOrNull(2)),
                row.GetBoolean(3),
                row.GetFieldValue<string[]>(4)
            ),
            cancellationToken,
            PgParameter.Text(store.Location),
            PgParameter.Text(source.Name),
            PgParameter.Text($"{(long)minimumAge.TotalSeconds} seconds")
        );

    /// <summary>Why an object has to stay, or null; an object of which no version is left has nothing to stay for.</summary>
    public async Task<string?> WhyKeptAsync(AbandonedObject abandoned, ConfirmedObjects confirmed, CancellationToken cancellationToken)
    {
        if (abandoned.IsHeld)
            return Held;
        if (confirmed.WhyKept(abandoned.Name.Key) is { } reason)
            return reason;
        // A removal takes every version of the key, so each of them is judged.
        foreach (var version in await _objects.FindAsync(abandoned.Name, cancellationToken))
        {
            if (
                await _examiner.ExamineAsync(version, cancellationToken) is { } found
                && await WhyKeptAsync(found, confirmed, cancellationToken) is { } kept
            )
            {
                return kept;
            }
        }
        return _objects.Limitation is null ? null : $"nobody can say what else is under its key: {_objects.Limitation}";
    }

    private async Task<string?> WhyKeptAsync(FoundObject found, ConfirmedObjects confirmed, CancellationToken cancellationToken)
    {
        if (found.Problem is { } problem)
            return $"it cannot be read, so nobody can say what is in it: {problem}";
        if (found.LedgerId is null || !database.LedgerIds.Contains(found.LedgerId))
            return "it is another ledger's";
        if (new ObjectOwner(store, database).WhyForeign(found) is { } other)
            return other;
        if (scan.WhyForeign(found) is { } foreign)
            return $"it is {foreign}";
        var keepers = new ContentKeepers(connection, store, source, confirmed);
        foreach (var document in found.Documents)
        {
            if (await keepers.ExistAsync(document, cancellationToken))
                continue;
            if (confirmed.Has(document))
                return $"a manifest confirms what it holds of session {document.SessionId}, and no other object holds the same";
            if (!await live.AreUnchangedAsync(found, document, cancellationToken))
                return $"it holds a version of session {document.SessionId} that is neither live nor, with the same rows, in an object "
                    + "that was read back now";
        }
        return null;
    }
}

/// <summary>An object that no archive needs, by the ledger.</summary>
internal sealed record AbandonedObject(long Id, ObjectName Name, bool IsHeld, IReadOnlyList<string> Members);
