using Archiver.Core.Settings;

namespace Archiver.Core.Configuration;

/// <summary>
/// Makes the mapping of a source from its <c>Tables</c>, its preset or both. With both, every key that <c>Tables</c> states takes
/// the place of the preset's single value (a list as a whole), and children with other names are added. An explicit null or empty
/// text takes a role of the preset away, or with <c>Table</c> a whole child.
/// </summary>
internal sealed class TablesReader(ValueReader read)
{
    public SourceMap Read(TablesOptions tables, SourceMap? preset)
    {
        var session = (tables.Session ?? new()).Read(read.Section(nameof(tables.Session)), preset?.Session);
        var children = ReadChildren(tables.Children ?? [], preset?.Children ?? [], session);
        if (session.From is not null)
        {
            session = new SessionRows(read.Section(nameof(tables.Session))).Check(session, children, tables.Session?.Table);
            // What dates a session dates its rows: the first of them says when it began.
            children =
            [
                .. children.Select(c =>
                    c.Name == session.From && c.Time is null && session.Activity.Count > 0 ? c with { Time = session.Activity[0] } : c
                ),
            ];
        }
        RefuseTablesTwice(session, children);
        var map = new SourceMap(session, new ChildTree(read.Section(nameof(tables.Children))).Sort(children));
        return preset is null ? map : map with { Optional = [.. preset.Optional.Where(path => IsFrom(preset, path, map))] };
    }

    private List<ChildTable> ReadChildren(
        Dictionary<string, ChildTableOptions> stated,
        IReadOnlyList<ChildTable> preset,
        SessionTable session
    )
    {
        var section = read.Section(nameof(TablesOptions.Children));
        List<ChildTable> children = [.. preset.Where(p => !stated.Keys.Any(k => SameName(k, p.Name)))];
        foreach (var (key, options) in stated)
        {
            // As the mapping has it: documents and fingerprints carry the name, and the environment may write it in capitals.
            var known = preset.FirstOrDefault(p => SameName(p.Name, key));
            var name = known?.Name ?? (SameName(key, SourceMap.MessagesName) ? SourceMap.MessagesName : key);
            if (SameName(name, SourceMap.SessionName))
                section.Problem(name, "is the name of the session table itself; choose another");
            else if (Names.Limit(name) is { } limit)
                section.Problem(name, limit);
            if (known is null || options is not { Table: "" })
                children.Add(
                    (options ?? new()).Read(
                        section.Section(name),
                        name,
                        known,
                        session.From is not null && SameName(session.From, name) ? session.Key : null
                    )
                );
        }
        return children;
    }

    /// <summary>Whether an optional part is still the preset's: what the configuration states itself must be there.</summary>
    private static bool IsFrom(SourceMap preset, string path, SourceMap map) =>
        OptionalPart.Find(preset, path) == OptionalPart.Find(map, path)
        && map.Children.All(c => path != $"Children:{c.Name}" || c.Table == preset.Children.First(p => p.Name == c.Name).Table);

    /// <summary>Rows that belong to two children would be counted and deleted twice, and no fingerprint would ever fit.</summary>
    private void RefuseTablesTwice(SessionTable session, List<ChildTable> children)
    {
        var seen = new Dictionary<Settings.TableName, string> { };
        if (session.HasRow)
            seen.Add(session.Table, SourceMap.SessionName);
        foreach (var child in children.Where(c => c.Table != TableNames.Unknown))
        {
            if (!seen.TryAdd(child.Table, child.Name))
                read.Section(nameof(TablesOptions.Children))
                    .Section(child.Name)
                    .Problem(nameof(child.Table), $"must be mapped once, but {child.Table} is the table of '{seen[child.Table]}' as well");
        }
    }

    /// <summary>Names are configuration keys, and those ignore case.</summary>
    private static bool SameName(string a, string b) => a.Equals(b, StringComparison.OrdinalIgnoreCase);
}
