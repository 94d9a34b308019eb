using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Npgsql;

namespace Archiver.Core.Sources;

/// <summary>Which optional parts of a source's map the database has.</summary>
internal static class OptionalParts
{
    // A column that was renamed is missing too. Without it a hold of a user would cover nothing, so that inspection has to see it.
    private const string HasUsers = """
        SELECT EXISTS (SELECT FROM archiver.archives AS a WHERE a.source = $1 AND a.user_id IS NOT NULL)
            OR EXISTS (SELECT FROM archiver.holds AS h WHERE h.source = $1 AND h.user_id IS NOT NULL AND h.removed_at IS NULL)
        """;

    private const string HasLedger = "SELECT to_regclass('archiver.archives') IS NOT NULL AND to_regclass('archiver.holds') IS NOT NULL";

    /// <summary>Looks once a process, at the first connection, and only where the map has optional parts.</summary>
    public static async Task SettleAsync(NpgsqlConnection connection, SourceSettings source, CancellationToken cancellationToken)
    {
        if (!source.IsUnsettled)
            return;
        var columns = await TableDescriber.ColumnNamesAsync(connection, source.Map, cancellationToken);
        // Before the application's tables are there, nothing is known.
        if (!columns.Contains(SourceMap.SessionName))
            return;
        List<OptionalPart> missing = [];
        foreach (var part in OptionalPart.Of(source.Map).Where(p => !IsThere(p, columns)))
        {
            if (
                part.Column is null
                || part.Column != source.Map.Session.User
                || !await HasUsersAsync(connection, source.Name, cancellationToken)
            )
                missing.Add(part);
        }
        source.Settle(missing);
    }

    private static bool IsThere(OptionalPart part, ILookup<string, string?> columns) =>
        columns.Contains(part.Table) && (part.Column is null || columns[part.Table].Contains(part.Column));

    private static async Task<bool> HasUsersAsync(NpgsqlConnection connection, string source, CancellationToken cancellationToken) =>
        await connection.ScalarAsync<bool>(HasLedger, cancellationToken)
        && await connection.ScalarAsync<bool>(HasUsers, cancellationToken, PgParameter.Text(source));
}
