using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Inspection;

/// <summary>
/// Columns of tables that are not mapped, named as if they pointed to sessions. A table that was forgotten in the mapping, or came with a
/// new version of the application, would keep rows of sessions that are gone, and no foreign key would tell.
/// </summary>
internal static class LookalikeChecks
{
    private const int Listed = 10;

    // What has a foreign key is judged by that.
    private const string Named = """
        SELECT n.nspname::text, c.relname::text, a.attname::text, format_type(CASE WHEN t.typtype = 'd' THEN t.typbasetype
          ELSE t.oid END, NULL)
        FROM pg_attribute AS a
        JOIN pg_class AS c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
          AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'archiver', 'archiver_quartz')
        JOIN pg_type AS t ON t.oid = a.atttypid
        WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid <> ALL ($1)
          AND lower(regexp_replace(a.attname, '[^[:alnum:]]', '', 'g')) = ANY ($2)
          AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.contype = 'f' AND k.conrelid = a.attrelid AND a.attnum = ANY (k.conkey))
          AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
        ORDER BY n.nspname, c.relname, a.attnum
        """;

    public static async Task CheckAsync(
        NpgsqlConnection connection,
        SourceCatalog catalog,
        Findings findings,
        CancellationToken cancellationToken
    )
    {
        var session = catalog.Map.Session;
        var families = session
            .Key.Append(session.ExternalId)
            .OfType<string>()
            .Select(c => catalog.Column(SourceMap.SessionName, c))
            .OfType<ColumnShape>()
            .Select(c => KeyMatch.Family(c.BaseType))
            .ToHashSet();
        var names = PointingNames
            .Of(session.Table, session.Key.Only)
            .Concat(PointingNames.OfSessions)
            // Of several columns most name what many tables have, such as a user.
            .Concat(
                catalog
                    .Map.Children.Where(c => c.Parent == SourceMap.SessionName)
                    .Select(c => c.ForeignKey.Only)
                    .OfType<string>()
                    .Select(Words.Plain)
            )
            .Distinct();
        var found = await connection.QueryAsync(
            Named,
            row => (Table: new TableName(row.GetString(0), row.GetString(1)), Column: row.GetString(2), Type: row.GetString(3)),
            cancellationToken,
            PgParameter.Oids(catalog.Relations.Select(r => r.Oid)),
            PgParameter.Texts(names)
        );
        var columns = found
            .Where(f => families.Contains(KeyMatch.Family(f.Type)))
            .Select(f => $"{f.Table}.{PgIdentifier.Quote(f.Column)}")
            .ToList();
        var more = columns.Count > Listed ? $" and {columns.Count - Listed} more" : "";
        if (columns.Count > 0)
            findings.Warning(
                $"Named as if they pointed to sessions, and not mapped: {string.Join(", ", columns.Take(Listed))}{more}. "
                    + "Their rows stay when a session is archived. Map those tables under Tables:Children whose rows belong to sessions."
            );
    }
}
