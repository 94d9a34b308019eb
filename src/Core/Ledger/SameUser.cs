using System.Text.RegularExpressions;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Ledger;

/// <summary>
/// Whether two texts are one user. A user column takes different texts for equal: "Bob" and "BOB" under <c>citext</c> and nondeterministic
/// collations, 1 and 1.0 as <c>numeric</c>, upper and lower case as <c>uuid</c>, with and without trailing blanks as <c>character(n)</c>.
/// The ledger and the documents have a user as somebody typed it, or as the column wrote it when it had another type. Compared as texts, a
/// hold on one spelling leaves the other to be destroyed, and an erasure calls itself complete without it.
/// </summary>
internal static partial class SameUser
{
    private const string Hex = "([0-9A-Fa-f]{4}-?){7}[0-9A-Fa-f]{4}";

    private const string Uuids = "^(" + Hex + "|[{]" + Hex + "[}])$";

    // For integers too: the ledger has 7.00 from when the column was numeric(10,2).
    private const string Numbers = "^ *[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+) *$";

    /// <summary>SQL of the form of one text: equal for what is one user.</summary>
    /// <param name="column">The user column; null where none is mapped, or the table is gone: then texts are compared.</param>
    /// <param name="text">SQL of the user's text.</param>
    public static string Form(ColumnShape? column, string text) =>
        column switch
        {
            // What citext's own operators do; they are in whatever schema the extension is.
            { BaseType: var type } when IsCitext(type) => $"pg_catalog.lower(({text}) COLLATE pg_catalog.\"default\")",
            { BaseType: "character" } => $"pg_catalog.rtrim({text}, ' ')",
            // Guarded: the ledger may have a user from before the column had this type.
            { BaseType: "uuid" } => $"CASE WHEN {text} ~ '{Uuids}' THEN ({text})::uuid::text ELSE {text} END",
            { BaseType: var type } when IsNumber(type) =>
                $"CASE WHEN {text} ~ '{Numbers}' THEN pg_catalog.trim_scale(({text})::numeric)::text ELSE {text} END",
            { Nondeterministic: { } collation } => $"({text}) COLLATE {collation}",
            _ => text,
        };

    /// <summary>The same of a text that the column writes now, which most types write in one way only.</summary>
    public static string Written(ColumnShape? column, string text) =>
        column?.BaseType is "uuid" or "smallint" or "integer" or "bigint" ? text : Form(column, text);

    /// <summary>SQL that is true for a text that no row of the column can have.</summary>
    public static string IsNoValue(ColumnShape? column, string text) =>
        column switch
        {
            { BaseType: "uuid" } => $"{text} !~ '{Uuids}'",
            { BaseType: var type } when IsNumber(type) => $"{text} !~ '{Numbers}'",
            _ => "false",
        };

    /// <summary>
    /// The given text, and the one that all spellings of the user share: for tombstones, which are hashes and cannot be compared by SQL.
    /// Under a nondeterministic collation there is no such text.
    /// </summary>
    public static IEnumerable<string> Spellings(ColumnShape? column, string user) =>
        new[] { user, Shared(column?.BaseType ?? "", user) }.Distinct(StringComparer.Ordinal);

    /// <summary>The user column as it is; null where none is mapped, or it or the table is not there.</summary>
    public static ColumnShape? Column(SourceMap map, SourceShape shape) =>
        map.Session.User is { } name
            ? shape.Tables.FirstOrDefault(t => t.Name == SourceMap.SessionName)?.Columns.FirstOrDefault(c => c.Name == name)
            : null;

    /// <summary>The same, where the tables have not been described.</summary>
    public static async Task<ColumnShape?> ColumnAsync(NpgsqlConnection connection, SourceMap map, CancellationToken cancellationToken) =>
        map.Session.User is null ? null : Column(map, await TableDescriber.DescribeAsync(connection, map, cancellationToken));

    /// <summary>Which of some users are the given one.</summary>
    public static async Task<IReadOnlySet<string>> AmongAsync(
        NpgsqlConnection connection,
        ColumnShape? column,
        string user,
        IEnumerable<string?> users,
        CancellationToken cancellationToken
    )
    {
        var sql = $"SELECT u.name FROM unnest($1) AS u (name) WHERE {Form(column, "u.name")} = {Form(column, "$2")}";
        return (
            await connection.QueryAsync(
                sql,
                row => row.GetString(0),
                cancellationToken,
                PgParameter.Texts(users.OfType<string>().Distinct(StringComparer.Ordinal)),
                PgParameter.Text(user)
            )
        ).ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>
    /// How the archives of a source spell a user; null for none given. One look at them all; then the index of users finds each page.
    /// </summary>
    public static async Task<IReadOnlyCollection<string>?> InLedgerAsync(
        NpgsqlConnection connection,
        string source,
        SourceMap map,
        string? user,
        CancellationToken cancellationToken
    )
    {
        if (user is null)
            return null;
        var column = await ColumnAsync(connection, map, cancellationToken);
        if (Form(column, "") == "")
            return [user];
        var sql =
            $"SELECT DISTINCT a.user_id FROM archiver.archives AS a WHERE a.source = $1 AND {Form(column, "a.user_id")} = "
            + $"{Form(column, "$2")}";
        return await connection.QueryAsync(
            sql,
            row => row.GetString(0),
            cancellationToken,
            PgParameter.Text(source),
            PgParameter.Text(user)
        );
    }

    private static string Shared(string type, string user) =>
        type switch
        {
            "character" => user.TrimEnd(' '),
            "uuid" => Guid.TryParseExact(string.Concat(user.Where(c => c is not ('{' or '}' or '-'))), "N", out var id)
                ? id.ToString("D")
                : user,
            _ when IsCitext(type) => user.ToLowerInvariant(),
            _ when IsNumber(type) && Number().IsMatch(user) => Digits(user.Trim(' ')),
            _ => user,
        };

    private static string Digits(string number)
    {
        var parts = number.TrimStart('+', '-').Split('.');
        var (whole, part) = (parts[0].TrimStart('0'), parts is [_, var fraction] ? fraction.TrimEnd('0') : "");
        var digits = (whole.Length == 0 ? "0" : whole) + (part.Length == 0 ? "" : $".{part}");
        return number[0] == '-' && digits != "0" ? $"-{digits}" : digits;
    }

    private static bool IsCitext(string type) => type == "citext" || type.EndsWith(".citext", StringComparison.Ordinal);

    private static bool IsNumber(string type) => type is "smallint" or "integer" or "bigint" or "numeric";

    [GeneratedRegex(Numbers)]
    private static partial Regex Number();
}
