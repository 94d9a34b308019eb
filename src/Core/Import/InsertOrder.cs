using Archiver.Core.Sources;

namespace Archiver.Core.Import;

/// <summary>
/// The order in which rows go into the tables: what a foreign key points to first, tables that point to each other in one statement.
/// </summary>
internal static class InsertOrder
{
    /// <summary>
    /// Keys among the mapped tables that the server checks at the end of a statement. Deferrable ones wait for the end of the import, and
    /// one of a table to itself is satisfied within its statement.
    /// </summary>
    public const string Keys = """
        SELECT c.conrelid::bigint, c.confrelid::bigint
        FROM pg_catalog.pg_constraint AS c
        WHERE c.contype = 'f' AND NOT c.condeferrable AND c.conrelid <> c.confrelid AND c.conrelid = ANY ($1) AND c.confrelid = ANY ($1)
        """;

    /// <summary>
    /// Groups of tables, one statement each; within what the keys leave open, the order of the map: parents before children.
    /// </summary>
    /// <param name="tables">The tables in the order of the map.</param>
    /// <param name="keys">From which table to which a foreign key points, by oid.</param>
    public static IReadOnlyList<IReadOnlyList<TableShape>> Of(
        IReadOnlyList<TableShape> tables,
        IReadOnlyCollection<(uint From, uint To)> keys
    )
    {
        List<IReadOnlyList<TableShape>> groups = [];
        List<TableShape> left = [.. tables];
        while (left.Count > 0)
        {
            var needs = left.ToDictionary(t => t.Oid, t => Reachable(t.Oid, keys, left));
            // Of a table that needs nothing but itself and those that need it, the whole circle goes.
            var next = left.First(t => needs[t.Oid].All(o => needs[o].Contains(t.Oid) || o == t.Oid));
            List<TableShape> group = [.. left.Where(t => t == next || needs[next.Oid].Contains(t.Oid))];
            groups.Add(group);
            left.RemoveAll(group.Contains);
        }
        return groups;
    }

    private static HashSet<uint> Reachable(uint from, IReadOnlyCollection<(uint From, uint To)> keys, List<TableShape> left)
    {
        HashSet<uint> found = [];
        Stack<uint> open = new([from]);
        while (open.TryPop(out var at))
        {
            foreach (var (_, to) in keys.Where(k => k.From == at && left.Exists(t => t.Oid == k.To)))
            {
                if (found.Add(to))
                    open.Push(to);
            }
        }
        return found;
    }
}
