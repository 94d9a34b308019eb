using Archiver.Core.Ledger;
using Archiver.Core.Ownership;
using Archiver.Core.Postgres;
using Archiver.Core.Restore;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Archiver.Core.Tombstones;
using Npgsql;

namespace Archiver.Core.Reconciliation;

/// <summary>
/// Decides which abandoned objects nobody needs (PROTOCOL.md rule 21): ours, of a run that ended, old enough, and every session in it either
/// live with the very same rows or in a newer object that is there. In doubt an object stays: keeping one costs cents.
/// </summary>
internal sealed class SuperfluousObjects(
    NpgsqlConnection connection, IArchiveReader store, SourceSettings source, DatabaseIdentity database, BucketScan scan, RestoreTarget target, ImportPlans plans)
{
    /// <summary>Why an object stays that a hold covers.</summary>
    public const string Held = "a hold covers it, or may";

    private static readonly string Abandoned = $"""
        SELECT o.id, o.key, o.version_id,
               EXISTS (SELECT FROM unnest(o.members) AS m (session_id) WHERE NOT ({HoldCondition.IdNotHeld("o.source", "m.session_id")}))
        FROM archiver.objects AS o
        JOIN archiver.runs AS r ON r.id = o.run_id
        WHERE o.location = $1 AND o.source = $2 AND o.state = 'abandoned' AND r.state <> 'running'
          AND o.created_at < clock_timestamp() - $3::interval AND o.reason IS DISTINCT FROM 'removed by reconcile'
        ORDER BY o.id
        """;

    private const string NewerObject = """
        SELECT o.key, o.version_id, o.length
        FROM archiver.archives AS a
        JOIN archiver.objects AS o ON o.id = a.object_id
        WHERE a.source = $1 AND a.session_id = $2 AND a.generation >= $3 AND a.object_id <> $4 AND o.state = 'stored'
          AND a.state IN ('stored', 'archived', 'restored')
        """;

    public async Task<IReadOnlyList<AbandonedObject>> ListAsync(TimeSpan minimumAge, CancellationToken cancellationToken) => await connection.QueryAsync(
        Abandoned, row => new AbandonedObject(row.GetInt64(0), new ObjectName(row.GetString(1), row.TextOrNull(2)), row.GetBoolean(3)), cancellationToken,
        PgParameter.Text(store.Location), PgParameter.Text(source.Name), PgParameter.Text($"{(long)minimumAge.TotalSeconds} seconds")).ConfigureAwait(false);

    /// <summary>Why an object has to stay, or null; an object that is gone has nothing to stay for.</summary>
    public async Task<string?> WhyKeptAsync(AbandonedObject abandoned, CancellationToken cancellationToken)
    {
        if (abandoned.IsHeld)
            return Held;
        if (await new ObjectExaminer(store, source.Map).ExamineAsync(abandoned.Name, cancellationToken).ConfigureAwait(false) is not { } found)
            return null;
        if (found.Problem is { } problem)
            return $"it cannot be read, so nobody can say what is in it: {problem}";
        if (found.LedgerId != database.LedgerId)
            return "it is another ledger's";
        if (new ObjectOwner(store, database).WhyForeign(found) is { } other)
            return other;
        if (scan.WhyForeign(found) is { } foreign)
            return $"it is {foreign}";
        foreach (var document in found.Documents)
        {
            if (!await IsInNewerObjectAsync(abandoned, document, cancellationToken).ConfigureAwait(false)
                && !await IsLiveUnchangedAsync(found, document, cancellationToken).ConfigureAwait(false))
            {
                return $"it holds a version of session {document.SessionId} that is neither live nor in a newer object";
            }
        }
        return null;
    }

    private async Task<bool> IsInNewerObjectAsync(AbandonedObject abandoned, FoundDocument document, CancellationToken cancellationToken)
    {
        var newer = await connection.QueryAsync(
            NewerObject, row => (Name: new ObjectName(row.GetString(0), row.TextOrNull(1)), Length: row.GetInt64(2)), cancellationToken,
            PgParameter.Text(source.Name), PgParameter.Text(document.SessionId), PgParameter.Int(document.Generation), PgParameter.Bigint(abandoned.Id)).ConfigureAwait(false);
        foreach (var (name, length) in newer)
        {
            if (await store.HeadAsync(name, cancellationToken).ConfigureAwait(false) is { } head && head.Length == length)
                return true;
        }
        return false;
    }

    private async Task<bool> IsLiveUnchangedAsync(FoundObject found, FoundDocument document, CancellationToken cancellationToken)
    {
        var candidate = new RestoreCandidate(document.SessionId, new ObjectName(found.Key, found.VersionId), null);
        await using var body = await store.OpenRangeAsync(candidate.Object, document.Offset, document.Length, cancellationToken).ConfigureAwait(false);
        if (body is null)
            return false;
        try
        {
            await using var json = new GzipMemberStream(body);
            await using var staged = await new SessionStager(plans, source.Name, TombstoneSet.Empty).StageAsync(candidate, json, cancellationToken).ConfigureAwait(false);
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            await connection.ExecuteAsync(TransactionSettings.Export, cancellationToken).ConfigureAwait(false);
            var differing = await new RowComparer(connection, new ImportStatements(target)).DifferingAsync([staged], cancellationToken).ConfigureAwait(false);
            return differing.Count == 0;
        }
        catch (RefusedSessionException)
        {
            return false;
        }
    }
}

/// <summary>An object that no archive needs, by the ledger.</summary>
internal sealed record AbandonedObject(long Id, ObjectName Name, bool IsHeld);
