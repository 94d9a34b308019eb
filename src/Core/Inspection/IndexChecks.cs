using Archiver.Core.Policies;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Inspection;

/// <summary>Whether batches are found without reading whole tables.</summary>
internal static class IndexChecks
{
    /// <summary>So many partitions are listed with their statements; the rest is counted.</summary>
    private const int Listed = 20;

    public static void Check(SourceCatalog catalog, Findings findings)
    {
        foreach (var child in catalog.Map.Children)
        {
            if (
                child.ForeignKey.All(c => catalog.Column(child.Name, c) is not null)
                && Bare(catalog, child.Name, i => i.Finds(child.ForeignKey)) is { Count: > 0 } bare
            )
                findings.Problem(
                    $"{(child.ForeignKey.Count == 1 ? "Column" : "Columns")} {child.ForeignKey.Sql} (ForeignKey) of table "
                        + $"{catalog.Table(child.Name)!.Table} ({child.Name}) {(child.ForeignKey.Count == 1 ? "leads" : "lead")} no usable "
                        + $"index, complete and without a condition{Where(bare)}: every batch would read the whole table.",
                    Statements(bare, child.ForeignKey.Sql)
                );
        }
        var session = catalog.Map.Session;
        // A purge of messages finds their sessions by the messages.
        var columns = catalog.Source.Policies is { Count: 0 }
            ? [session.Activity[0]]
            : catalog
                .Source.Policies.Where(p => p.Scope == PurgeScope.Sessions)
                .Select(p => EligibilityPredicate.OrderColumn(p, session))
                .Distinct();
        foreach (var time in session.HasRow ? columns : [])
        {
            string[] order = [TimeSql.Indexed(time), session.Key.Sql];
            if (
                time.Columns.Concat(session.Key).All(c => catalog.Column(SourceMap.SessionName, c) is not null)
                && Bare(catalog, SourceMap.SessionName, i =>
                    time.Or is null ? i.Orders(time.Times, session.Key) : i.OrdersBy(order[0], session.Key)
                )
                    is { Count: > 0 } unsorted
            )
                findings.Warning(
                    $"No index of table {session.Table} serves the order of selection, {order[0]} and {order[1]}{Where(unsorted)}: every "
                        + "page of sessions would read and sort the whole table.",
                    Statements(unsorted, order)
                );
        }
        WarnOfUnsortedMessages(catalog, findings);
        WarnOfMissingPrimaryKeys(catalog, findings);
    }

    // Each run looks for old messages in every session.
    private static void WarnOfUnsortedMessages(SourceCatalog catalog, Findings findings)
    {
        if (
            !catalog.Source.Policies.Any(p => p.TakesParts)
            || catalog.Map.Children.FirstOrDefault(c => c.Name == SourceMap.MessagesName) is not { Time: { Or: null } time } messages
            || messages.ForeignKey.Append(time.Times).Any(c => catalog.Column(messages.Name, c) is null)
        )
            return;
        if (
            Bare(catalog, messages.Name, i => i.Orders(messages.ForeignKey[0], [.. messages.ForeignKey.Skip(1), time.Times])) is
            { Count: > 0 } unsorted
        )
            findings.Warning(
                $"No index of table {messages.Table} ({messages.Name}) serves {messages.ForeignKey.Sql} and "
                    + $"{PgIdentifier.Quote(time.Times)} (Time){Where(unsorted)}: to find the old messages of a session, all of them would "
                    + "be read.",
                Statements(unsorted, messages.ForeignKey.Sql, PgIdentifier.Quote(time.Times))
            );
    }

    /// <summary>The tables that hold the rows, partitions one by one, and lack such an index.</summary>
    private static List<RelationFacts> Bare(SourceCatalog catalog, string table, Func<IndexFacts, bool> serves) =>
        [.. catalog.Tree(catalog.Table(table)!).Where(r => r.IsTable && !catalog.IndexesOf(r.Oid).Any(serves))];

    private static string Where(List<RelationFacts> bare)
    {
        if (bare is [{ Depth: 0 }])
            return "";
        var more = bare.Count > Listed ? $" and {bare.Count - Listed} more" : "";
        return $" in {string.Join(", ", bare.Take(Listed).Select(r => r.Table))}{more}";
    }

    private static IEnumerable<string> Statements(List<RelationFacts> bare, params string[] terms) =>
        bare.Take(Listed).Select(r => $"CREATE INDEX CONCURRENTLY ON {r.Table.Sql} ({string.Join(", ", terms)})");

    // Columns that are unique and never NULL already: a primary key on them refuses no row that was not refused before.
    private static void WarnOfMissingPrimaryKeys(SourceCatalog catalog, Findings findings)
    {
        foreach (
            var table in catalog.Tables.Where(t =>
                catalog.Relation(t).Kind is 'r' or 'p' && !catalog.IndexesOf(t.Oid).Any(i => i.IsPrimary)
            )
        )
        {
            var key =
                table.Name == SourceMap.SessionName ? catalog.Map.Session.Key : catalog.Map.Children.First(c => c.Name == table.Name).Key;
            var isKey =
                key?.All(c => catalog.Column(table.Name, c) is not null && catalog.Facts(table, c).NotNull) is true
                && catalog.IndexesOf(table.Oid).Any(i => i.MakesUnique(key) && i.Columns.Count == key.Count);
            findings.Warning(
                $"Table {table.Table} ({table.Name}) has no primary key: a restore cannot tell a row that is there from one that is not."
                    + (isKey ? "" : " Make one of columns that the application never leaves empty and never writes twice."),
                isKey ? [$"ALTER TABLE {table.Table.Sql} ADD PRIMARY KEY ({key!.Sql})"] : []
            );
        }
    }
}
