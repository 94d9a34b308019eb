using Archiver.Core.Diagnostics;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Npgsql;

namespace Archiver.Core.Sources;

/// <summary>
/// Row level security hides rows without a word. A verb that takes "no row" for "gone" must not read under it: <c>ledger rebuild</c> would
/// call a live session archived.
/// </summary>
internal static class RowSecurity
{
    private const string Hidden = """
        SELECT n.relation, current_user::text
        FROM unnest($1, $2) AS n (schema, relation)
        JOIN pg_catalog.pg_namespace AS s ON s.nspname = n.schema
        JOIN pg_catalog.pg_class AS c ON c.relnamespace = s.oid AND c.relname = n.relation
        WHERE pg_catalog.row_security_active(c.oid)
        """;

    /// <summary>
    /// What a role needs that cannot see all rows. No statement: on the application's own role it would end its policies.
    /// </summary>
    public static string Advice(string role) =>
        $"Give BYPASSRLS to role {role} where it is the archiver's alone; where the application has it, too, its policies would end with "
        + "that: then give the archiver a role of its own (sql/roles.sql).";

    /// <summary>Refuses where policies keep rows of a mapped table from the connection's role.</summary>
    /// <exception cref="ArchiverException">They do; nothing was read.</exception>
    public static async Task RequireAllRowsAsync(NpgsqlConnection connection, SourceSettings source, CancellationToken cancellationToken)
    {
        List<TableName> tables = [source.Map.Session.Table, .. source.Map.Children.Select(c => c.Table)];
        var hidden = await connection.QueryAsync(
            Hidden,
            row => (Table: row.GetString(0), Role: row.GetString(1)),
            cancellationToken,
            PgParameter.Texts(tables.Select(t => t.Schema)),
            PgParameter.Texts(tables.Select(t => t.Name))
        );
        if (hidden.Count > 0)
            throw new ArchiverException(
                FailureKind.Refused,
                $"Row level security is on for {string.Join(", ", hidden.Select(h => h.Table))} of source '{source.Name}', and role "
                    + $"{hidden[0].Role} cannot bypass it: rows that it does not see would count as gone. "
                    + Advice(hidden[0].Role)
            );
    }
}
