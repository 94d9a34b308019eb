using Archiver.Core.Postgres;
using Archiver.Core.Spool;
using Npgsql;

namespace Archiver.Core.Import;

/// <summary>Sends the rows of staged sessions into a temporary table.</summary>
internal static class StagingCopy
{
    /// <summary>Empties the temporary tables and sends all rows of the sessions, which have one plan.</summary>
    /// <exception cref="PostgresException">The server does not take a row.</exception>
    public static async Task FillAsync(
        NpgsqlConnection connection,
        ImportStatements statements,
        IReadOnlyList<StagedSession> sessions,
        CancellationToken cancellationToken
    )
    {
        await connection.ExecuteAsync(statements.ClearStaging, cancellationToken);
        foreach (var table in Filled(sessions))
            await WriteAsync(connection, statements, table, sessions, cancellationToken);
    }

    /// <summary>The tables for which the sessions have rows.</summary>
    public static List<PlannedTable> Filled(IReadOnlyList<StagedSession> sessions) =>
        [.. sessions[0].Plan.Tables.Where(t => t.Target is not null && sessions.Any(s => s[t.Name].Length > 0))];

    /// <summary>One COPY for the rows of all sessions in one table; they have one plan.</summary>
    /// <exception cref="PostgresException">The server does not take a row.</exception>
    public static async Task WriteAsync(
        NpgsqlConnection connection,
        ImportStatements statements,
        PlannedTable table,
        IReadOnlyList<StagedSession> sessions,
        CancellationToken cancellationToken
    )
    {
        var copy = (NpgsqlCopyTextWriter)await connection.BeginTextImportAsync(statements.CopyIn(table), cancellationToken);
        await using (copy)
        {
            foreach (var session in sessions)
                await WriteAsync(session, session[table.Name], copy.BaseStream, cancellationToken);
        }
    }

    private static async Task WriteAsync(StagedSession session, StagedTable part, Stream output, CancellationToken cancellationToken)
    {
        if (part.Length == 0)
            return;
        await using var content = session.Content.OpenRead();
        content.Position = part.Offset;
        await using var slice = new SliceStream(content, part.Length);
        await slice.CopyToAsync(output, (int)Math.Min(part.Length, 128 * 1024), cancellationToken);
    }
}
