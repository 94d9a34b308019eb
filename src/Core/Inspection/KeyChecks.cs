using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Inspection;

/// <summary>Whether the columns by which sessions and rows are found name exactly one of them (docs/protocol.md rule 18).</summary>
internal static class KeyChecks
{
    // What partitioned tables have in their keys.
    private static readonly HashSet<string> PartTypes = ["timestamp with time zone", "timestamp without time zone", "date"];

    // Domains over these are as good: comparisons resolve to the base type, and so do our casts.
    private static readonly HashSet<string> KeyTypes =
    [
        "uuid",
        "text",
        "character varying",
        "smallint",
        "integer",
        "bigint",
        "numeric",
        "character",
    ];

    public static async Task CheckAsync(SourceCatalog catalog, AdviceProbe probe, Findings findings, CancellationToken cancellationToken)
    {
        var session = catalog.Map.Session;
        await CheckKeyAsync(catalog, probe, session.Key, nameof(session.Key), findings, cancellationToken);
        if (session.ExternalId is { } external)
            await CheckKeyAsync(catalog, probe, external, nameof(session.ExternalId), findings, cancellationToken);
        // A parent's key that is not the session's own needs the same: its children would belong to two sessions.
        foreach (var (parent, columns) in catalog.Map.Children.Select(c => (c.Parent, c.ParentKey)).Distinct())
        {
            var isSessions =
                parent == SourceMap.SessionName
                && (columns.Order().SequenceEqual(session.Key.Order()) || (session.ExternalId is { } id && columns == id));
            if (columns.All(c => catalog.Column(parent, c) is not null) && !isSessions)
                await CheckUniqueAsync(
                    catalog,
                    probe,
                    catalog.Table(parent)!,
                    columns,
                    nameof(ChildTable.ParentKey),
                    findings,
                    cancellationToken
                );
        }
        foreach (var child in catalog.Map.Children)
            LinkChecks.Check(catalog, child, findings);
    }

    private static async Task CheckKeyAsync(
        SourceCatalog catalog,
        AdviceProbe probe,
        KeyColumns key,
        string role,
        Findings findings,
        CancellationToken cancellationToken
    )
    {
        List<ColumnShape> columns = [.. key.Select(c => catalog.Column(SourceMap.SessionName, c)).OfType<ColumnShape>()];
        foreach (var column in columns)
        {
            var table = catalog.Table(SourceMap.SessionName)!;
            CheckType(catalog, table, column, role, key.Count, findings);
            if (catalog.Map.Session.HasRow && role == nameof(SessionTable.Key) && !catalog.Facts(table, column.Name).NotNull)
            {
                var empty = await probe.HasNullsAsync(table.Table, column.Name, cancellationToken);
                findings.Problem(
                    $"{Name(table, column, role)} may be NULL, and a session without a key cannot be found again. Make it NOT NULL where "
                        + $"the application always writes one: else its inserts would fail.{(empty is true ? " Some rows have none." : "")}"
                );
            }
        }
        if (catalog.Map.Session.HasRow && columns.Count == key.Count)
            await CheckUniqueAsync(catalog, probe, catalog.Table(SourceMap.SessionName)!, key, role, findings, cancellationToken);
    }

    private static void CheckType(SourceCatalog catalog, TableShape table, ColumnShape column, string role, int columns, Findings findings)
    {
        // Of a domain over them a document does not say that blanks, or zeros, at the end are none.
        if (
            !(KeyTypes.Contains(column.BaseType) || (columns > 1 && PartTypes.Contains(column.BaseType)))
            || (column.BaseType is "character" or "numeric" && column.Type.Split('(')[0] != column.BaseType)
        )
            findings.Problem(
                $"{Name(table, column, role)} is {column.Type}; a key must be uuid, text, varchar, char(n), smallint, int, bigint or "
                    + "numeric, or a domain over one of these but "
                    + $"char and numeric{(columns > 1 ? "; of a key of several columns also a timestamp or date" : "")}. Map another "
                    + "one; a unique ExternalId may be of these types too."
            );
        if (!catalog.Facts(table, column.Name).Deterministic)
            findings.Problem(
                $"{Name(table, column, role)} has the nondeterministic collation {catalog.Facts(table, column.Name).Collation}, under "
                    + "which the keys of two sessions may be equal. Map another one: with another collation the application would compare "
                    + "its keys otherwise."
            );
    }

    private static string Name(TableShape table, ColumnShape column, string role) =>
        $"Column {PgIdentifier.Quote(column.Name)} ({role}) of table {table.Table}";

    private static async Task CheckUniqueAsync(
        SourceCatalog catalog,
        AdviceProbe probe,
        TableShape table,
        KeyColumns columns,
        string role,
        Findings findings,
        CancellationToken cancellationToken
    )
    {
        if (catalog.IndexesOf(table.Oid).Any(i => i.MakesUnique(columns)))
            return;
        var relation = catalog.Relation(table);
        var repeated = relation.Kind is 'r' or 'p' ? await probe.HasDuplicatesAsync(table.Table, columns, cancellationToken) : null;
        var divided = relation.Kind == 'p' && !await probe.IsPartitionedByAsync(table, columns, cancellationToken);
        var one = columns.Count == 1;
        var lacks = one
            ? "has no valid unique index on exactly that column"
            : "have no valid unique index on these columns or some of them";
        var hint =
            divided ? $" A partitioned table can have one only if it is partitioned by {(one ? "that column" : "none but these columns")}."
            : repeated is true
                ? one
                        ? " Some of its values stand in several rows, so it can have none. Map a column that is unique by "
                            + $"itself, or list columns that are unique together{Together(catalog, table, columns[0])}. Where the rows are "
                            + "the messages, and a session is those with one value, map them as a child and name it in Session:From."
                    : " Some of their values stand in several rows together, so they can have none: list all columns of the key."
            : relation.Kind is 'r' or 'p'
                ? $" Where the application never writes {(one ? "a value" : "the same values together")} twice, make one: else its inserts "
                    + $"would fail.{(repeated is null ? " Whether it has so far could not be seen in time." : "")}"
            : "";
        findings.Problem(
            $"{(one ? "Column" : "Columns")} {columns.Sql} ({role}) of table {table.Table} {lacks}, immediate and without a condition: a "
                + $"delete by {(one ? "it" : "them")} could hit other rows.{hint}"
        );
    }

    /// <summary>Columns that a unique index has beside this one, to be copied into the configuration; or nothing.</summary>
    private static string Together(SourceCatalog catalog, TableShape table, string column) =>
        catalog
            .IndexesOf(table.Oid)
            .OrderByDescending(i => i.IsPrimary)
            .FirstOrDefault(i => i.Columns.Count > 1 && i.Columns.Contains(column) && i.MakesUnique(KeyColumns.Of([.. i.Columns])))
            is { } index
            ? $", such as [{string.Join(", ", index.Columns.Select(c => $"\"{c}\""))}]"
            : "";
}
