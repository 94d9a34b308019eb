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

    /// <summary>
    /// Looks once a process, at the first connection, and only where the map has optional parts: for what needs no more than names.
    /// </summary>
    public static async Task SettleAsync(NpgsqlConnection connection, SourceSettings source, CancellationToken cancellationToken)
    {
        if (source.IsUnsettled && await MissingAsync(connection, source, cancellationToken) is { } missing)
            source.Settle(missing);
    }

    /// <summary>
    /// The source by the optional parts that its database has now, for one piece of work. A column may come while a worker runs: what is
    /// selected without it may be in use by it.
    /// </summary>
    public static async Task<SourceSettings> OfNowAsync(
        NpgsqlConnection connection,
        SourceSettings source,
        CancellationToken cancellationToken
    ) =>
        source is { IsFixed: false, Whole.Optional.Count: > 0 } && await MissingAsync(connection, source, cancellationToken) is { } missing
            ? source.Without(missing)
            : source;

    /// <summary>The parts that are not there; null before the application's tables are, when nothing is known.</summary>
    private static async Task<IReadOnlyList<OptionalPart>?> MissingAsync(
        NpgsqlConnection connection,
        SourceSettings source,
        CancellationToken cancellationToken
    )
    {
        var whole = source.Whole;
        var columns = await TableDescriber.ColumnNamesAsync(connection, whole, cancellationToken);
        if (!columns.Contains(SourceMap.SessionName))
            return null;
        List<OptionalPart> missing = [];
        foreach (var part in OptionalPart.Of(whole).Where(p => !IsThere(p, columns)))
        {
            if (
                part.Column is null
                || part.Column != whole.Session.User
                || !await HasUsersAsync(connection, source.Name, cancellationToken)
            )
                missing.Add(part);
        }
        return missing;
    }

    private static bool IsThere(OptionalPart part, ILookup<string, string?> columns) =>
        columns.Contains(part.Table) && (part.Column is null || columns[part.Table].Contains(part.Column));

    private static async Task<bool> HasUsersAsync(NpgsqlConnection connection, string source, CancellationToken cancellationToken) =>
        await connection.ScalarAsync<bool>(HasLedger, cancellationToken)
        && await connection.ScalarAsync<bool>(HasUsers, cancellationToken, PgParameter.Text(source));
}
