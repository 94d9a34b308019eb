using Npgsql;

namespace Archiver.Core.Inspection;

/// <summary>A subscription that writes to a table.</summary>
internal sealed record SubscriptionFacts(uint Relation, string Name) : ICatalogFact<SubscriptionFacts>
{
    public static string Sql =>
        """
            SELECT r.srrelid::bigint, s.subname::text
            FROM pg_subscription_rel AS r
            JOIN pg_subscription AS s ON s.oid = r.srsubid
            WHERE r.srrelid = ANY ($1)
            ORDER BY s.subname
            """;

    public static SubscriptionFacts Read(NpgsqlDataReader row) => new((uint)row.GetInt64(0), row.GetString(1));
}
