using Archiver.Core.Diagnostics;
using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Restore;

/// <summary>
/// The inserting part of an import: copies, inserts, compares, and rolls back to a savepoint whatever is refused, so that one session that
/// has no place today costs the others nothing. Halving finds the one that an error is about.
/// </summary>
internal sealed class SessionInsertion(
    NpgsqlConnection connection, NpgsqlTransaction transaction, RestoreTarget target, ImportStatements statements, bool disableTriggers)
{
    /// <summary>Functions of the application's triggers and constraints may lean on the search path of its role, and their queries name no keys.</summary>
    public const string ApplicationSettings = "SET LOCAL search_path TO DEFAULT; SET LOCAL seq_page_cost TO DEFAULT";

    /// <summary>The archiver's again, as <see cref="TransactionSettings.Export"/> had them.</summary>
    public const string OwnSettings = "SET LOCAL search_path = pg_catalog;" + TransactionSettings.ByKey;

    private const string Savepoint = "sessions";

    private readonly RowComparer _comparer = new(connection, statements);
    private readonly ForeignKeyCheck _foreignKeys = new(connection, target, statements);
    private bool _staged;

    public List<StagedSession> Inserted { get; } = [];

    public List<ImportedSession> Refused { get; } = [];

    /// <summary>Inserts what can be inserted of the sessions, all of one plan and none of them in the tables.</summary>
    /// <exception cref="PostgresException">An error that says nothing about a single session; the transaction is lost.</exception>
    public async Task InsertAsync(IReadOnlyList<StagedSession> sessions, CancellationToken cancellationToken)
    {
        while (sessions.Count > 0)
        {
            await transaction.SaveAsync(Savepoint, cancellationToken).ConfigureAwait(false);
            var refused = await TryAsync(sessions, cancellationToken).ConfigureAwait(false);
            if (refused.Count > 0)
                await transaction.RollbackAsync(Savepoint, cancellationToken).ConfigureAwait(false);
            await transaction.ReleaseAsync(Savepoint, cancellationToken).ConfigureAwait(false);
            if (refused.Count == 0)
            {
                Inserted.AddRange(sessions);
                return;
            }
            if (sessions.Count > 1 && refused.ContainsKey(""))
            {
                await InsertAsync([.. sessions.Take(sessions.Count / 2)], cancellationToken).ConfigureAwait(false);
                sessions = [.. sessions.Skip(sessions.Count / 2)];
                continue;
            }
            Refused.AddRange(sessions.Where(s => refused.ContainsKey(s.Key) || refused.ContainsKey(""))
                .Select(s => new ImportedSession(s, ImportOutcome.Refused, refused.GetValueOrDefault(s.Key) ?? refused[""])));
            sessions = [.. sessions.Where(s => !refused.ContainsKey(s.Key) && !refused.ContainsKey(""))];
        }
    }

    /// <summary>Reasons by session key; under the empty key one that is about some session of the set. Empty when all are in.</summary>
    private async Task<Dictionary<string, string>> TryAsync(IReadOnlyList<StagedSession> sessions, CancellationToken cancellationToken)
    {
        try
        {
            await CopyAndInsertAsync(sessions, cancellationToken).ConfigureAwait(false);
            if (disableTriggers && await _foreignKeys.FindBrokenAsync(sessions, cancellationToken).ConfigureAwait(false) is { } broken)
                return new() { [""] = broken };
            var differing = await _comparer.DifferingAsync(sessions, cancellationToken).ConfigureAwait(false);
            return differing.Count == 0 ? [] : await ExplainAsync(differing, cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException exception) when (ImportRefusal.IsAboutRows(exception))
        {
            return new() { [""] = ImportRefusal.Of(exception) };
        }
    }

    private async Task CopyAndInsertAsync(IReadOnlyList<StagedSession> sessions, CancellationToken cancellationToken)
    {
        if (_staged)
            await connection.ExecuteAsync(statements.ClearStaging, cancellationToken).ConfigureAwait(false);
        _staged = true;
        List<PlannedTable> tables = [.. sessions[0].Plan.Tables.Where(t => t.Target is not null && sessions.Any(s => s[t.Name].Length > 0))];
        foreach (var table in tables)
            await StagingCopy.WriteAsync(connection, statements, table, sessions, cancellationToken).ConfigureAwait(false);
        await connection.ExecuteAsync(ApplicationSettings, cancellationToken).ConfigureAwait(false);
        if (disableTriggers)
            await DisableTriggersAsync(cancellationToken).ConfigureAwait(false);
        foreach (var shape in target.Shape.Tables)
        {
            // Parents first: the order of the map, whatever the order in the document.
            if (tables.Find(t => t.Target == shape) is { } table)
                await connection.ExecuteAsync(statements.Insert(table), cancellationToken).ConfigureAwait(false);
        }
        await connection.ExecuteAsync($"SET CONSTRAINTS ALL IMMEDIATE; {OwnSettings}", cancellationToken).ConfigureAwait(false);
    }

    // Replication role, not ALTER TABLE DISABLE TRIGGER: that would need the tables' owner and lock the application out for the whole restore.
    private async Task DisableTriggersAsync(CancellationToken cancellationToken)
    {
        try
        {
            await connection.ExecuteAsync("SET LOCAL session_replication_role = replica", cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new ArchiverException(FailureKind.Refused,
                "--disable-triggers needs a superuser, or on PostgreSQL 15 and later: GRANT SET ON PARAMETER session_replication_role TO the archiver's role. Nothing was written.", exception);
        }
    }

    private async Task<Dictionary<string, string>> ExplainAsync(Dictionary<string, PlannedTable> differing, CancellationToken cancellationToken)
    {
        Dictionary<string, string> reasons = new(StringComparer.Ordinal);
        foreach (var table in differing.Values.Distinct())
        {
            List<string> changed = [];
            if (statements.Differences(table) is { } sql)
            {
                var flags = (await connection.ScalarAsync<bool[]>(sql, cancellationToken).ConfigureAwait(false))!;
                changed.AddRange(table.Written.Where((_, i) => flags[i]).Select(c => c.Target!.Name));
            }
            var reason = ImportRefusal.Of(table, changed, disableTriggers ? [] : ImportRefusal.Suspects(target, table));
            foreach (var (key, _) in differing.Where(d => d.Value == table))
                reasons.Add(key, reason);
        }
        return reasons;
    }
}
