using Archiver.Core.Diagnostics;
using Archiver.Core.Inspection;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Holds;

/// <summary>
/// Legal holds. Adding one waits for the destructive transaction in hand, if there is one (docs/protocol.md rule 23): when
/// <see cref="AddAsync"/> returns, nothing that the hold covers is deleted, purged, expired, discarded or erased any more, until a person
/// removes it.
/// </summary>
internal static class LegalHolds
{
    private const string Insert = """
        INSERT INTO archiver.holds (source, session_id, user_id, from_time, to_time, reason, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7)
          RETURNING id
        """;

    private const string Lift = """
        UPDATE archiver.holds AS h SET removed_by = $3, removed_at = clock_timestamp() WHERE h.source = $1 AND h.id = $2
          AND h.removed_at IS NULL
        """;

    /// <summary>Adds a hold and returns its id; two where an id names one session by key and another by external id.</summary>
    /// <exception cref="ArchiverException">
    /// Nobody knows the session, the text is no value of the column, or the source has no column for users.
    /// </exception>
    public static async Task<IReadOnlyList<long>> AddAsync(
        SourceConnections connections,
        SourceSettings source,
        HoldRequest request,
        string who,
        CancellationToken cancellationToken
    )
    {
        var (sessions, user) = await ResolveAsync(connections, source, request, cancellationToken);
        await using var change = await LedgerTransaction.BeginAsync(connections, source.Name, cancellationToken);
        await HoldLock.TakeExclusiveAsync(change.Connection, source.Name, cancellationToken);
        // Again: a renaming takes this lock too, and a hold under the old name would hold nothing.
        await SourceRegistry.CheckAsync(change.Connection, source, cancellationToken);
        List<long> ids = [];
        foreach (var session in sessions)
        {
            ids.Add(
                await change.Connection.ScalarAsync<long>(
                    Insert,
                    cancellationToken,
                    PgParameter.Text(source.Name),
                    PgParameter.Text(session),
                    PgParameter.Text(user),
                    PgParameter.InstantOrNull(request.From),
                    PgParameter.InstantOrNull(request.To),
                    PgParameter.Text(request.Reason),
                    PgParameter.Text(who)
                )
            );
            await change.AuditAsync(Entry("hold add", who, source, ids[^1], request.Reason), cancellationToken);
        }
        await change.CommitAsync(cancellationToken);
        return ids;
    }

    /// <summary>Lifts a hold; false when there is none of that id in force. Its row stays, with who removed it.</summary>
    public static async Task<bool> RemoveAsync(
        SourceConnections connections,
        SourceSettings source,
        long id,
        string who,
        CancellationToken cancellationToken
    )
    {
        await using var change = await LedgerTransaction.BeginAsync(connections, source.Name, cancellationToken);
        if (
            await change.Connection.ExecuteAsync(
                Lift,
                cancellationToken,
                PgParameter.Text(source.Name),
                PgParameter.Bigint(id),
                PgParameter.Text(who)
            ) == 0
        )
            return false;
        await change.AuditAsync(Entry("hold remove", who, source, id, reason: null), cancellationToken);
        await change.CommitAsync(cancellationToken);
        return true;
    }

    /// <summary>What the holds in force cover now, all together, or some of them alone.</summary>
    public static async Task<HoldCoverage> CountAsync(
        SourceConnections connections,
        SourceSettings source,
        IReadOnlyCollection<long>? only,
        TimeSpan patience,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await connections.OpenAsync(cancellationToken);
        source = await MappedTables.RequireAsync(connection, source, cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(TransactionSettings.ReadOnly(patience), cancellationToken);
        var shape = await TableDescriber.DescribeAsync(connection, source.Map, cancellationToken);
        var parameters = new SqlParameters();
        var name = parameters.Add(PgParameter.Text(source.Name));
        var ids = only is null ? null : parameters.Add(PgParameter.Bigints(only));
        var live = HoldCondition.NotHeld(source, shape, shape.KeyOf(source.Map, "s"), name, parameters, ids);
        var sql = $"""
            SELECT (SELECT count(*) FROM {source.Map.Session.Sql} AS s WHERE NOT {live}),
                   (SELECT count(*) FROM archiver.archives AS a WHERE a.source = {name} AND a.state NOT IN ('discarded', 'erased')
                     AND NOT {HoldCondition.ArchiveNotHeld("a", SameUser.Column(source.Map, shape), ids)})
            """;
        return (
            await connection.QueryAsync(
                sql,
                row => new HoldCoverage(row.GetInt64(0), row.GetInt64(1)),
                cancellationToken,
                parameters.ToArray()
            )
        )[0];
    }

    // One null where the hold names no session.
    private static async Task<(IReadOnlyList<string?> Sessions, string? User)> ResolveAsync(
        SourceConnections connections,
        SourceSettings source,
        HoldRequest request,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await connections.OpenAsync(cancellationToken);
        source = await MappedTables.RequireAsync(connection, source, cancellationToken);
        var given = new GivenIds(connection, source.Map);
        if (request.Session is not { } id)
            return ([null], request.User is { } user ? await given.UserAsync(source.Name, user, cancellationToken) : null);
        await given.RequireSessionAsync(source.Name, id, cancellationToken);
        var shape = await TableDescriber.DescribeAsync(connection, source.Map, cancellationToken);
        var found = await new SessionIds(connection, source, shape).FindAsync(id, cancellationToken);
        return found.Count > 0
            ? (found, null)
            : throw new ArchiverException(
                FailureKind.Failed,
                $"Source '{source.Name}' has no session '{id}', in its table or in the ledger. Nothing was put on hold."
            );
    }

    // No session or user in it: audit rows outlive an erasure.
    private static AuditEntry Entry(string action, string who, SourceSettings source, long hold, string? reason) =>
        new(who, action, source.Name, Reason: reason, Counts: new Dictionary<string, long> { ["hold"] = hold });
}
