using Archiver.Core.Deletion;
using Archiver.Core.Diagnostics;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Npgsql;

namespace Archiver.Core.Import;

/// <summary>
/// The inserting part of an import: copies, inserts, compares, and rolls back to a savepoint whatever is refused, so that one session that
/// has no place today costs the others nothing. Halving finds the one that an error is about.
/// </summary>
internal sealed class SessionInsertion(NpgsqlConnection connection, NpgsqlTransaction transaction, ImportTarget into)
{
    private const string Savepoint = "sessions";

    // What follows in this transaction, the delete of the next live session too, has its foreign keys and triggers again. Where an
    // insertion fails, its savepoint takes the role back.
    private const string TriggersAgain = "SET LOCAL session_replication_role = origin";

    private readonly ImportStatements _statements = new(into.Target);
    private readonly RowComparer _comparer = new(connection, new(into.Target));
    private readonly ForeignKeyCheck _foreignKeys = new(connection, into.Target, new(into.Target));
    private readonly Dictionary<string, List<RowsBeside>> _beside = new(StringComparer.Ordinal);

    public List<StagedSession> Inserted { get; } = [];

    public List<ImportedSession> Refused { get; } = [];

    /// <summary>What became of the sessions that were to be inserted.</summary>
    public IEnumerable<ImportedSession> Outcome =>
        Inserted
            .Select(s => new ImportedSession(s, ImportOutcome.Restored) { Beside = _beside.GetValueOrDefault(s.Key, []) })
            .Concat(Refused);

    /// <summary>Inserts what can be inserted of the sessions, all of one plan and none of them in the tables.</summary>
    /// <param name="sessions">The sessions.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="beside">
    /// These are parts of sessions that are in the tables: their rows go beside those, and the sessions' own rows stay as they are.
    /// </param>
    /// <exception cref="PostgresException">An error that says nothing about a single session; the transaction is lost.</exception>
    public async Task InsertAsync(IReadOnlyList<StagedSession> sessions, CancellationToken cancellationToken, bool beside = false)
    {
        while (sessions.Count > 0)
        {
            await transaction.SaveAsync(Savepoint, cancellationToken);
            var refused = await TryAsync(sessions, beside, cancellationToken);
            if (refused.Count > 0)
                await transaction.RollbackAsync(Savepoint, cancellationToken);
            await transaction.ReleaseAsync(Savepoint, cancellationToken);
            if (refused.Count == 0)
            {
                Inserted.AddRange(sessions);
                return;
            }
            if (sessions.Count > 1 && refused.ContainsKey(""))
            {
                await InsertAsync([.. sessions.Take(sessions.Count / 2)], cancellationToken, beside);
                sessions = [.. sessions.Skip(sessions.Count / 2)];
                continue;
            }
            Refused.AddRange(
                sessions
                    .Where(s => refused.ContainsKey(s.Key) || refused.ContainsKey(""))
                    .Select(s => new ImportedSession(s, ImportOutcome.Refused, refused.GetValueOrDefault(s.Key) ?? refused[""]))
            );
            sessions = [.. sessions.Where(s => !refused.ContainsKey(s.Key) && !refused.ContainsKey(""))];
        }
    }

    /// <summary>Reasons by session key; under the empty key one that is about some session of the set. Empty when all are in.</summary>
    private async Task<Dictionary<string, string>> TryAsync(
        IReadOnlyList<StagedSession> sessions,
        bool beside,
        CancellationToken cancellationToken
    )
    {
        try
        {
            await StagingCopy.FillAsync(connection, _statements, sessions, cancellationToken);
            var guard = await SideEffectGuard.BeginAsync(connection, into.Target.Map, into.Target.Shape, cancellationToken);
            await InsertStagedAsync(sessions, beside, cancellationToken);
            if (into.Options.DisableTriggers && await _foreignKeys.FindBrokenAsync(sessions, cancellationToken) is { } broken)
                return new() { [""] = broken };
            var differing = await _comparer.DifferingAsync(
                sessions,
                cancellationToken,
                staged: true,
                beside ? RowsChoice.Transaction : RowsChoice.All,
                beside
            );
            if (differing.Count > 0 && !beside)
                await LookBesideAsync([.. sessions.Where(s => differing.ContainsKey(s.Key))], differing, cancellationToken);
            if (differing.Count > 0)
                return await new DifferenceReasons(connection, into).ExplainAsync(differing, cancellationToken);
            if (into.Options.Reactivate)
                await ReactivateAsync(sessions, cancellationToken);
            if (!await guard.HoldsForInsertAsync(connection, cancellationToken))
                return new() { [""] = ImportRefusal.SideEffects(into) };
            if (into.Options.DisableTriggers)
                await connection.ExecuteAsync(TriggersAgain, cancellationToken);
            return [];
        }
        catch (PostgresException exception) when (ImportRefusal.IsAboutRows(exception))
        {
            return new() { [""] = ImportRefusal.Of(exception, sessions[0].Plan) };
        }
    }

    private async Task InsertStagedAsync(IReadOnlyList<StagedSession> sessions, bool beside, CancellationToken cancellationToken)
    {
        var tables = StagingCopy.Filled(sessions).FindAll(t => !beside || t.Name != SourceMap.SessionName);
        await connection.ExecuteAsync($"SET CONSTRAINTS ALL DEFERRED; {ApplicationPath.Begin}", cancellationToken);
        if (into.Options.DisableTriggers)
            await DisableTriggersAsync(cancellationToken);
        foreach (var group in into.Target.InsertGroups)
        {
            List<PlannedTable> together = [.. group.Select(shape => tables.Find(t => t.Target == shape)).OfType<PlannedTable>()];
            if (together.Count > 0)
                await connection.ExecuteAsync(_statements.Insert(together), cancellationToken);
        }
        await connection.ExecuteAsync(ApplicationPath.FireAndLeave, cancellationToken);
    }

    /// <summary>
    /// Takes those out whose own rows came out right: what differs are rows that were there before, such as a message that came late.
    /// </summary>
    private async Task LookBesideAsync(
        IReadOnlyList<StagedSession> sessions,
        Dictionary<string, PlannedTable> differing,
        CancellationToken cancellationToken
    )
    {
        var beside = await _comparer.BesideAsync(sessions, RowsChoice.Transaction, cancellationToken);
        List<StagedSession> with = [.. sessions.Where(s => beside.ContainsKey(s.Key))];
        if (with.Count == 0)
            return;
        var own = await _comparer.DifferingAsync(with, cancellationToken, staged: true, RowsChoice.Transaction);
        foreach (var session in with)
        {
            differing.Remove(session.Key);
            if (own.TryGetValue(session.Key, out var table))
                differing.Add(session.Key, table);
            _beside[session.Key] = beside[session.Key];
        }
    }

    private async Task ReactivateAsync(IReadOnlyList<StagedSession> sessions, CancellationToken cancellationToken)
    {
        // The application's triggers fire as in its own transactions.
        await connection.ExecuteAsync(ApplicationPath.Begin, cancellationToken);
        await new Reactivation(into.Target, into.TimeZone, into.Options.ExpiresAt).ApplyAsync(
            connection,
            sessions.Select(s => s.Key),
            cancellationToken
        );
        await connection.ExecuteAsync(ApplicationPath.Leave, cancellationToken);
    }

    // Replication role, not ALTER TABLE DISABLE TRIGGER: that would need the tables' owner and lock the application out for the whole
    // restore.
    private async Task DisableTriggersAsync(CancellationToken cancellationToken)
    {
        try
        {
            await connection.ExecuteAsync("SET LOCAL session_replication_role = replica", cancellationToken);
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new ArchiverException(
                FailureKind.Refused,
                "--disable-triggers needs a superuser, or on PostgreSQL 15 and later: GRANT SET ON PARAMETER session_replication_role TO "
                    + "the archiver's role. Nothing was written.",
                exception
            );
        }
    }
}
