using Archiver.Core.Holds;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Selection;

/// <summary>
/// Finds the stored sessions of a policy that were stored longer ago than <c>DeleteAfter</c> and that no hold or quarantine keeps, page by
/// page in the order in which they were stored, so that the members of a bundle come together. Whether they have changed since is for
/// others to find.
/// </summary>
internal sealed class DelayedDeleteSelector(RunContext run)
{
    private const string Columns = """
        a.id, a.session_id, a.external_id, a.user_id, a.generation, a.keep::text, a.row_count, a.message_count, a.json_length,
          a.json_sha256, a.byte_offset, a.byte_length,
        a.fingerprints::text, a.mark::text, coalesce(array(SELECT jsonb_array_elements_text(a.mark->'changed')), '{}'), o.id, o.key,
          o.version_id, o.length, o.sha256
        """;

    private readonly Queue<SelectedSession> _candidates = new();
    private readonly Dictionary<string, DueArchive> _archives = new(StringComparer.Ordinal);
    private long _after;
    private bool _lastPage;

    /// <summary>The next sessions within the bounds of a batch, with their archives by key; null when none is left.</summary>
    /// <param name="most">Bound on top of the batch settings.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<(SelectedBatch Batch, IReadOnlyDictionary<string, DueArchive> Archives)?> NextAsync(
        long most,
        CancellationToken cancellationToken
    )
    {
        if (most <= 0)
            return null;
        while (_candidates.Count < run.Batch.Sessions && !_lastPage)
            await ReadPageAsync(cancellationToken);
        if (SelectedBatch.Take(_candidates, run.Batch with { Sessions = (int)Math.Min(most, run.Batch.Sessions) }) is not { } batch)
            return null;
        Dictionary<string, DueArchive> archives = new(StringComparer.Ordinal);
        foreach (var session in batch.Sessions)
        {
            _archives.Remove(session.Key, out var archive);
            archives.Add(session.Key, archive!);
        }
        return (batch, archives);
    }

    /// <summary>How many there are, of the run's shard and of all; none where the policy deletes nothing.</summary>
    public static async Task<(long OfShard, long OfPolicy)> CountForAsync(RunContext run, CancellationToken cancellationToken)
    {
        // A restore that makes room runs a policy of its own, which is to delete nothing but what is in its way, whatever it is called.
        var configured = run.Source.Policies.Any(p => p.Name == run.Policy.Name && p.Where == run.Policy.Where);
        if (!configured || run.Policy is not { Action: PolicyAction.Archive, TakesParts: false, Delete: DeleteMode.Session })
            return (0, 0);
        var parameters = new SqlParameters();
        var sql = $"SELECT count(*) FILTER (WHERE {run.Shard.Sql("a.session_id")}), count(*) {Due(run, parameters)}";
        await using var connection = await run.Connections.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(TransactionSettings.ReadOnly(PolicyPlan.Patience(run)), cancellationToken);
        return (await connection.QueryAsync(sql, row => (row.GetInt64(0), row.GetInt64(1)), cancellationToken, parameters.ToArray()))[0];
    }

    /// <summary>Stored archives by their ids, as far as their objects are there to be compared with.</summary>
    public static async Task<IReadOnlyList<DueArchive>> ReadAsync(
        RunContext run,
        IEnumerable<long> ids,
        CancellationToken cancellationToken
    )
    {
        const string sql = $"""
            SELECT {Columns}
            FROM archiver.archives AS a
            JOIN archiver.objects AS o ON o.id = a.object_id
            WHERE a.id = ANY ($1) AND a.state = 'stored' AND o.state = 'stored' AND o.removal_began_at IS NULL
            """;
        await using var connection = await run.Connections.OpenAsync(cancellationToken);
        return await connection.QueryAsync(sql, Read, cancellationToken, PgParameter.Bigints(ids));
    }

    private async Task ReadPageAsync(CancellationToken cancellationToken)
    {
        var parameters = new SqlParameters();
        var sql = $"""
            SELECT {Columns}
            {Due(run, parameters)}
              AND {run.Shard.Sql("a.session_id")} AND a.id > {parameters.Add(PgParameter.Bigint(_after))}
            ORDER BY a.id
            LIMIT {parameters.Add(PgParameter.Int(run.Batch.Sessions))}
            """;
        await using var connection = await run.Connections.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(
            TransactionSettings.ReadOnly(run.Batch.StatementTimeout) + TransactionSettings.ByKey,
            cancellationToken
        );
        var page = await connection.QueryAsync(sql, Read, cancellationToken, parameters.ToArray());
        _lastPage = page.Count < run.Batch.Sessions;
        foreach (var archive in page)
        {
            _after = archive.Id;
            _archives.Add(archive.Key, archive);
            _candidates.Enqueue(archive.Session);
        }
    }

    /// <summary>What is being discarded is no copy to rely on.</summary>
    private static string Due(RunContext run, SqlParameters parameters)
    {
        var source = parameters.Add(PgParameter.Text(run.Source.Name));
        var form = KeyForm.Of(run.Source.Map, run.Shape);
        var key = form.Of("s");
        return $"""
            FROM archiver.archives AS a
            JOIN archiver.objects AS o ON o.id = a.object_id
            JOIN {run.Source.Map.Session.Sql} AS s ON {key.Is(form.Known("a.session_id"))}
            WHERE a.source = {source} AND a.policy = {parameters.Add(PgParameter.Text(run.Policy.Name))} AND a.state = 'stored'
              AND a.stored_at <= {parameters.Add(PgParameter.Instant(run.Cutoffs.Before(run.Policy.DeleteAfter)))}
              AND o.state = 'stored' AND o.removal_began_at IS NULL
              AND NOT EXISTS (SELECT FROM archiver.quarantine AS q WHERE q.source = {source} AND q.session_id = a.session_id
                AND (q.quarantined_at IS NOT NULL OR q.next_attempt_at > {parameters.Add(PgParameter.Instant(run.Cutoffs.Now))}))
              AND {HoldCondition.NotHeld(run.Source, run.Shape, key, source, parameters)}
            """;
    }

    private static DueArchive Read(NpgsqlDataReader row) =>
        new()
        {
            Id = row.GetInt64(0),
            Session = new()
            {
                Key = row.GetString(1),
                ExternalId = row.TextOrNull(2),
                User = row.TextOrNull(3),
                Month = "",
                Generation = row.GetInt32(4),
                Keep = row.TextOrNull(5),
                Rows = row.GetInt64(6),
                Messages = row.GetInt64(7),
                Bytes = row.GetInt64(8),
            },
            JsonLength = row.GetInt64(8),
            JsonSha256 = row.GetFieldValue<byte[]>(9),
            Offset = row.GetInt64(10),
            Length = row.GetInt64(11),
            Fingerprints = row.GetString(12),
            Mark = row.TextOrNull(13),
            Marked = row.GetFieldValue<string[]>(14),
            ObjectId = row.GetInt64(15),
            Object = new(row.GetString(16), row.TextOrNull(17)),
            ObjectLength = row.GetInt64(18),
            ObjectSha256 = row.GetFieldValue<byte[]>(19),
        };
}
