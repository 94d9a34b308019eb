using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Ledger;

/// <summary>
/// SQL of a user's text in a form that is equal for what the user column takes for one user: under <c>citext</c> and nondeterministic collations
/// "Bob" and "BOB" are, for <c>numeric</c> 1 and 1.0, and a document pads what is <c>character(n)</c>. Compared as texts, a hold on the one left the other to be destroyed, and an erasure called itself complete without it.
/// </summary>
internal static class SameUser
{
    /// <summary>The form of one text.</summary>
    /// <param name="column">The user column; null where none is mapped, or the table is gone: then texts are compared.</param>
    /// <param name="text">SQL of the user's text.</param>
    public static string Form(ColumnShape? column, string text) => column switch
    {
        // What citext's own operators do; they are in whatever schema the extension is.
        { BaseType: var type } when type == "citext" || type.EndsWith(".citext", StringComparison.Ordinal) => $"pg_catalog.lower(({text}) COLLATE pg_catalog.\"default\")",
        { BaseType: "character" } => $"pg_catalog.rtrim({text}, ' ')",
        // Guarded: the ledger may have a user from before the column was a number.
        { BaseType: "numeric" } => $"CASE WHEN {text} ~ '^-?[0-9]+([.][0-9]+)?$' THEN pg_catalog.trim_scale(({text})::numeric)::text ELSE {text} END",
        { Nondeterministic: { } collation } => $"({text}) COLLATE {collation}",
        _ => text,
    };

    /// <summary>The user column as it is; null where none is mapped, or it or the table is not there.</summary>
    public static ColumnShape? Column(SourceMap map, SourceShape shape) =>
        map.Session.User is { } name ? shape.Tables.FirstOrDefault(t => t.Name == SourceMap.SessionName)?.Columns.FirstOrDefault(c => c.Name == name) : null;

    /// <summary>The same, where the tables have not been described.</summary>
    public static async Task<ColumnShape?> ColumnAsync(NpgsqlConnection connection, SourceMap map, CancellationToken cancellationToken) =>
        map.Session.User is null ? null : Column(map, await TableDescriber.DescribeAsync(connection, map, cancellationToken).ConfigureAwait(false));

    /// <summary>Which of some users are the given one.</summary>
    public static async Task<IReadOnlySet<string>> AmongAsync(
        NpgsqlConnection connection, ColumnShape? column, string user, IEnumerable<string?> users, CancellationToken cancellationToken)
    {
        var sql = $"SELECT u.name FROM unnest($1) AS u (name) WHERE {Form(column, "u.name")} = {Form(column, "$2")}";
        return (await connection.QueryAsync(
            sql, row => row.GetString(0), cancellationToken, PgParameter.Texts(users.OfType<string>().Distinct(StringComparer.Ordinal)), PgParameter.Text(user)).ConfigureAwait(false)).ToHashSet(StringComparer.Ordinal);
    }
}
