using Archiver.Core.Diagnostics;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Ledger;

/// <summary>
/// Which tables the name of a source stands for. Holds, pauses, the lock and the archives are kept under the name: where somebody writes
/// another one in the configuration, they would not be seen, and what is held would be deleted. So whoever works on a source asks here
/// first.
/// </summary>
internal static class SourceRegistry
{
    /// <summary>Nobody else may note tables or rename a source meanwhile; ends with the transaction.</summary>
    internal const string OneAtATime = "SELECT pg_advisory_xact_lock(hashtextextended('archiver/sources', 0))";

    /// <summary>For whoever only reads: refuses under another name, and notes nothing.</summary>
    /// <exception cref="ArchiverException">
    /// The ledger knows the tables under another name, or other tables under this one; kind Refused.
    /// </exception>
    public static async Task CheckAsync(NpgsqlConnection connection, SourceSettings source, CancellationToken cancellationToken)
    {
        // A ledger that is not upgraded yet is the migrator's business.
        if (await connection.ScalarAsync<bool>("SELECT to_regclass('archiver.source_tables') IS NOT NULL", cancellationToken))
            await JudgeAsync(connection, source, cancellationToken);
    }

    /// <summary>
    /// For whoever writes: as <see cref="CheckAsync"/>, and the tables of a new source are noted. Asked again under the source's lock.
    /// </summary>
    /// <exception cref="ArchiverException">As for <see cref="CheckAsync"/>.</exception>
    public static async Task RegisterAsync(
        SourceConnections connections,
        NpgsqlConnection connection,
        SourceSettings source,
        CancellationToken cancellationToken
    )
    {
        if (await JudgeAsync(connection, source, cancellationToken) is not null)
            await WriteAsync(connections, source, JudgeAsync, cancellationToken);
    }

    /// <summary>A new source that none of the known ones is under another name.</summary>
    /// <exception cref="ArchiverException">Its tables are known under another name; kind Refused.</exception>
    public static Task AddAsync(SourceConnections connections, SourceSettings source, CancellationToken cancellationToken) =>
        WriteAsync(
            connections,
            source,
            async (connection, _, token) =>
            {
                var mapped = await SourceTables.MappedAsync(connection, source.Map, token);
                RefuseOtherName(source.Name, mapped, await SourceTables.KnownAsync(connection, token));
                return mapped;
            },
            cancellationToken
        );

    // On a connection of its own: an answer to its commit that is lost takes its connection with it, and what was asked for is still to be
    // done.
    private static async Task WriteAsync(
        SourceConnections connections,
        SourceSettings source,
        Func<NpgsqlConnection, SourceSettings, CancellationToken, Task<IReadOnlyList<SourceTable>?>> judge,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await connections.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(OneAtATime, cancellationToken);
        if (await judge(connection, source, cancellationToken) is not { } tables)
            return;
        await SourceTables.WriteAsync(connection, source.Name, tables, cancellationToken);
        await new CommitOutcome(
            connections.Time,
            connections.OpenAsync,
            $"The server of source '{source.Name}' did not answer a commit, nor what became of it. It is done wholly or not at all: run it "
                + "again.",
            async (other, _, token) => await JudgeAsync(other, source, token) is null
        ).CommitAsync(connection, transaction, _ => Task.CompletedTask, cancellationToken);
    }

    /// <summary>The tables to note, or null when they are noted, or not there: then inspection has the better words.</summary>
    private static async Task<IReadOnlyList<SourceTable>?> JudgeAsync(
        NpgsqlConnection connection,
        SourceSettings source,
        CancellationToken cancellationToken
    )
    {
        var mapped = await SourceTables.MappedAsync(connection, source.Map, cancellationToken);
        if (!mapped.Any(m => m.IsSession))
            return null;
        var known = await SourceTables.KnownAsync(connection, cancellationToken);
        RefuseOtherName(source.Name, mapped, known);
        List<SourceTable> mine = [.. known.Where(k => k.Source == source.Name)];
        if (mine.Count == 0)
            RefuseUnclear(source.Name, await SourceTables.NamesAsync(connection, cancellationToken), known);
        var session = mapped.First(m => m.IsSession);
        if (mine.FirstOrDefault(k => k.IsSession) is { } before && !before.Is(session))
            throw new ArchiverException(
                FailureKind.Refused,
                $"Source '{source.Name}' stands for table {before.Table} in this ledger, and the configuration maps {session.Table}: what "
                    + "is held and archived under this name are other sessions. Nothing was changed. "
                    + "Give the new table a source with a name of its own; or, if it took the place of the old one: archiver source rename "
                    + $"{source.Name} {source.Name}"
            );
        if (mine.FirstOrDefault(k => k.IsSession) is { } noted)
            await SourceColumns.CheckAsync(connection, source.Name, noted, session, cancellationToken);
        return mapped.Count == mine.Count && mapped.All(m => mine.Exists(k => k with { Source = "", IsThere = true } == m)) ? null : mapped;
    }

    internal static void RefuseOtherName(string source, IReadOnlyList<SourceTable> mapped, IReadOnlyList<SourceTable> known)
    {
        if (known.FirstOrDefault(k => k.Source != source && mapped.Any(k.Is)) is not { } other)
            return;
        throw new ArchiverException(
            FailureKind.Refused,
            $"This ledger knows table {other.Table} as one of source '{other.Source}', and the configuration maps it under '{source}': the "
                + $"holds, pauses, locks and archives of '{other.Source}' would not be seen. Nothing was changed. "
                + $"If the source has another name now: archiver source rename {other.Source} {source}. Two sources cannot share a table: "
                + "make them one with several policies."
        );
    }

    // Names from before the ledger noted tables: one of them may be this source under its old name.
    private static void RefuseUnclear(string source, IReadOnlyList<string> names, IReadOnlyList<SourceTable> known)
    {
        List<string> without = [.. names.Where(n => known.All(k => k.Source != n))];
        if (names.Contains(source) || without.Count == 0)
            return;
        throw new ArchiverException(
            FailureKind.Refused,
            $"This ledger does not know a source '{source}', and has not noted yet which tables belong to: {string.Join(", ", without)}. "
                + "Nothing was changed. "
                + $"If '{source}' is one of them under another name: archiver source rename OLD {source}. If it is a new one: archiver "
                + $"source add {source}"
        );
    }
}
