using System.Text.RegularExpressions;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Npgsql;

namespace Archiver.Core.Inspection;

/// <summary>An index of a mapped table or partition.</summary>
internal sealed partial record IndexFacts : ICatalogFact<IndexFacts>
{
    public static string Sql =>
        """
            SELECT i.indrelid::bigint, am.amname::text, i.indisprimary, i.indisunique, i.indimmediate,
                   i.indisvalid AND i.indisready AND i.indislive,
                   i.indpred IS NOT NULL,
                   (SELECT array_agg(coalesce(a.attname::text, '') ORDER BY k.n)
                    FROM unnest(i.indkey) WITH ORDINALITY AS k (attnum, n)
                    LEFT JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND k.attnum <> 0
                    WHERE k.n <= i.indnkeyatts),
                   i.indoption::text,
                   NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
                     AND a.attcollation <> i.indcollation[0]),
                   i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) IS NOT DISTINCT FROM
                     (SELECT '(' || quote_ident(a.attname::text) || ' IS NOT NULL)' FROM pg_attribute AS a WHERE a.attrelid = i.indrelid
                       AND a.attnum = i.indkey[0]),
                   CASE WHEN i.indkey[0] = 0 THEN pg_get_indexdef(i.indexrelid, 1, true) END
            FROM pg_index AS i
            JOIN pg_class AS c ON c.oid = i.indexrelid
            JOIN pg_am AS am ON am.oid = c.relam
            WHERE i.indrelid = ANY ($1)
            """;

    public required uint Relation { get; init; }

    public required string Method { get; init; }

    public required bool IsPrimary { get; init; }

    public required bool IsUnique { get; init; }

    /// <summary>Uniqueness is checked at once, not at the end of the transaction.</summary>
    public required bool IsImmediate { get; init; }

    /// <summary>Complete and in use; a CREATE INDEX CONCURRENTLY that failed leaves one that is not.</summary>
    public required bool IsValid { get; init; }

    public required bool IsPartial { get; init; }

    /// <summary>Key columns in order, without included ones; empty for an expression.</summary>
    public required IReadOnlyList<string> Columns { get; init; }

    /// <summary>Bits of each key column: 1 descending, 2 nulls first.</summary>
    public required IReadOnlyList<string> Directions { get; init; }

    /// <summary>What stands in the place of a first column, as the server writes it; null where there is one.</summary>
    public required string? Expression { get; init; }

    /// <summary>The first column is indexed under its own collation.</summary>
    public required bool OwnCollation { get; init; }

    /// <summary>It has every row with a value in its first column: it is not partial, or only by leaving out those without.</summary>
    public required bool HasEveryValue { get; init; }

    /// <summary>Whether a value for each of these columns finds its rows through it.</summary>
    public bool Finds(KeyColumns columns) =>
        IsValid && !IsPartial && OwnCollation && Method is "btree" or "hash" && columns.All(Columns.Take(columns.Count).Contains);

    /// <summary>Whether at most one row has these values in these columns, at every moment.</summary>
    public bool MakesUnique(KeyColumns columns) => IsUnique && IsValid && IsImmediate && !IsPartial && Columns.All(columns.Contains);

    /// <summary>
    /// Whether the rows with a value in the first column come from it in the order of that and a key, forwards or backwards.
    /// </summary>
    public bool Orders(string first, KeyColumns key) => Columns[0] == first && OrdersAfterFirst(key);

    /// <summary>The same where the first is an expression.</summary>
    public bool OrdersBy(string expression, KeyColumns key) =>
        Expression is not null && Terms(Expression) == Terms(expression) && OrdersAfterFirst(key);

    private bool OrdersAfterFirst(KeyColumns key) =>
        IsValid
        && HasEveryValue
        && OwnCollation
        && Method == "btree"
        && Columns.Skip(1).Take(key.Count).SequenceEqual(key)
        && Directions.Take(key.Count + 1).Distinct().Count() == 1
        && Directions[0] is "0" or "3";

    // The server writes quotes only where a name needs them, casts of constants, and parentheses of its own.
    private static string Terms(string expression) => Spelling().Replace(expression, "").ToLowerInvariant();

    [GeneratedRegex("::[a-z ]+|[\\s()\"]")]
    private static partial Regex Spelling();

    public static IndexFacts Read(NpgsqlDataReader row) =>
        new()
        {
            Relation = (uint)row.GetInt64(0),
            Method = row.GetString(1),
            IsPrimary = row.GetBoolean(2),
            IsUnique = row.GetBoolean(3),
            IsImmediate = row.GetBoolean(4),
            IsValid = row.GetBoolean(5),
            IsPartial = row.GetBoolean(6),
            Columns = row.GetFieldValue<string[]>(7),
            Directions = row.GetString(8).Split(' '),
            OwnCollation = row.GetBoolean(9),
            HasEveryValue = row.GetBoolean(10),
            Expression = row.TextOrNull(11),
        };
}
