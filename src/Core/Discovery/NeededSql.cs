using Archiver.Core.Postgres;

namespace Archiver.Core.Discovery;

/// <summary>
/// The statements that a mapping needs: a role with no more rights than runs need, as sql/roles.sql makes it, and indexes. None of them
/// changes a row, a column or a key of the application.
/// </summary>
/// <param name="Role">Grants for archiving.</param>
/// <param name="Restore">What restoring needs beside them.</param>
/// <param name="Indexes">Without them batches read whole tables.</param>
internal sealed record NeededSql(IReadOnlyList<string> Role, IReadOnlyList<string> Restore, IReadOnlyList<string> Indexes)
{
    public static NeededSql Of(DatabaseFacts facts, Proposal proposal, string role, IEnumerable<string> indexes)
    {
        var name = PgIdentifier.Quote(role);
        var tables = proposal.Tables.Select(t => facts.Table(t)!).ToList();
        var session = tables[0];
        // Row locks need UPDATE on some column; the key's is the one that nobody would miss.
        List<string> grants =
        [
            $"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {PgLiteral.Quote(role)}) "
                + $"THEN CREATE ROLE {name} LOGIN; END IF; END $$",
            $"GRANT CONNECT, TEMPORARY ON DATABASE {PgIdentifier.Quote(facts.Database)} TO {name}",
            .. tables.Select(t => t.Table.Schema).Distinct().Select(s => $"GRANT USAGE ON SCHEMA {PgIdentifier.Quote(s)} TO {name}"),
            .. tables.Select(t => $"GRANT SELECT, DELETE, UPDATE ({PgIdentifier.Quote(Lockable(t))}) ON TABLE {t.Table.Sql} TO {name}"),
        ];
        List<string> marks =
        [
            .. new[] { proposal.Session.Archived, proposal.Session.ArchiveLocation, proposal.Session.Status }
                .OfType<string>()
                .Select(PgIdentifier.Quote),
        ];
        if (marks.Count > 0)
            grants.Add($"GRANT UPDATE ({string.Join(", ", marks)}) ON TABLE {session.Table.Sql} TO {name}");
        if (tables.Exists(t => t.RowSecurity))
            grants.Add($"ALTER ROLE {name} BYPASSRLS");
        if (!facts.HasLedger)
            grants.Add($"CREATE SCHEMA IF NOT EXISTS archiver AUTHORIZATION {name}");
        return new(
            grants,
            [
                .. tables.Select(t => $"GRANT INSERT, UPDATE ON TABLE {t.Table.Sql} TO {name}"),
                .. tables.SelectMany(t => t.Sequences).Distinct().Select(s => $"GRANT USAGE, SELECT, UPDATE ON SEQUENCE {s.Sql} TO {name}"),
            ],
            [.. indexes]
        );
    }

    private static string Lockable(FoundTable table) => table.PrimaryKey.Count > 0 ? table.PrimaryKey[0] : table.Columns[0].Name;
}
