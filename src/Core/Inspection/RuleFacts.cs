using Npgsql;

namespace Archiver.Core.Inspection;

/// <summary>A rule that rewrites deletes of a table.</summary>
internal sealed record RuleFacts(uint Relation, string Name) : ICatalogFact<RuleFacts>
{
    public static string Sql =>
        """
            SELECT r.ev_class::bigint, r.rulename::text
            FROM pg_rewrite AS r
            WHERE r.ev_class = ANY ($1) AND r.ev_type = '4' AND r.ev_enabled IN ('O', 'A')
            ORDER BY r.rulename
            """;

    public static RuleFacts Read(NpgsqlDataReader row) => new((uint)row.GetInt64(0), row.GetString(1));
}
