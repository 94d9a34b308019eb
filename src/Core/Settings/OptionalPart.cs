namespace Archiver.Core.Settings;

/// <summary>
/// A part of a map that the database may lack: a role of the session table, one of its activity columns, or a child table.
/// </summary>
/// <param name="Path">As a preset lists it: <c>Session:User</c>, <c>Session:Activity:last_accessed</c>, <c>Children:votes</c>.</param>
/// <param name="Table">Name of its table in the map.</param>
/// <param name="Column">The column; null where the part is a whole table.</param>
internal sealed record OptionalPart(string Path, string Table, string? Column)
{
    /// <summary>The optional parts that a map has.</summary>
    public static IReadOnlyList<OptionalPart> Of(SourceMap map) => [.. map.Optional.Select(path => Find(map, path)).OfType<OptionalPart>()];

    /// <summary>The part of that path, or null where the map has none.</summary>
    /// <exception cref="ArgumentException">No part can have that path.</exception>
    public static OptionalPart? Find(SourceMap map, string path) =>
        path.Split(':') switch
        {
            ["Children", var name] => map.Children.Any(c => c.Name == name) ? new(path, name, null) : null,
            ["Session", nameof(map.Session.Activity), var column] => map.Session.Activity.Any(a => a.Column == column)
                ? Session(path, column)
                : null,
            ["Session", nameof(map.Session.User)] => Session(path, map.Session.User),
            ["Session", nameof(map.Session.Archived)] => Session(path, map.Session.Archived),
            ["Session", nameof(map.Session.ArchiveLocation)] => Session(path, map.Session.ArchiveLocation),
            _ => throw new ArgumentException($"'{path}' cannot be optional.", nameof(path)),
        };

    /// <summary>The map without this part, and without what hangs below it.</summary>
    public SourceMap TakenFrom(SourceMap map) =>
        Path.Split(':') switch
        {
            ["Children", _] => map with { Children = Without(map.Children, [Table]) },
            ["Session", nameof(map.Session.Activity), var column] => map with
            {
                Session = map.Session with { Activity = [.. map.Session.Activity.Where(a => a.Column != column)] },
            },
            ["Session", nameof(map.Session.User)] => map with { Session = map.Session with { User = null } },
            ["Session", nameof(map.Session.Archived)] => map with { Session = map.Session with { Archived = null } },
            _ => map with { Session = map.Session with { ArchiveLocation = null } },
        };

    private static OptionalPart? Session(string path, string? column) => column is null ? null : new(path, SourceMap.SessionName, column);

    // Parents come before their children.
    private static IReadOnlyList<ChildTable> Without(IReadOnlyList<ChildTable> children, HashSet<string> gone) =>
        [.. children.Where(c => !gone.Contains(c.Name) && !(gone.Contains(c.Parent) && gone.Add(c.Name)))];
}
