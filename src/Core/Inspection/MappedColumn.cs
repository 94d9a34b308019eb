using Archiver.Core.Settings;

namespace Archiver.Core.Inspection;

/// <summary>A column that the configuration names.</summary>
/// <param name="Table">Name of its table in the map.</param>
/// <param name="Role">The key of the configuration that names it, such as <c>Activity</c>.</param>
internal sealed record MappedColumn(string Table, string Role, string Column, ColumnUse Use)
{
    /// <summary>Of a time: how its values are times.</summary>
    public TimeForm Form { get; init; }

    /// <summary>Of a time that another one falls back on: the column whose type it must have.</summary>
    public string? Like { get; init; }

    /// <summary>Every column that a source's configuration names; one may come in several roles.</summary>
    public static IEnumerable<MappedColumn> Of(SourceSettings source) =>
        [.. OfSession(source), .. source.Map.Children.SelectMany(c => OfChild(c))];

    private static IEnumerable<MappedColumn> OfSession(SourceSettings source)
    {
        var session = source.Map.Session;
        var table = session.From ?? SourceMap.SessionName;
        return
        [
            .. Columns(table, nameof(session.Key), session.Key, session.HasRow ? ColumnUse.Key : ColumnUse.Link),
            .. Mapped(table, (nameof(session.ExternalId), session.ExternalId, ColumnUse.Key)),
            .. session.Activity.SelectMany(a => Times(table, nameof(session.Activity), a)),
            .. Mapped(table, (nameof(session.User), session.User, ColumnUse.Any)),
            .. Times(table, nameof(session.Created), session.Created),
            .. Times(table, nameof(session.Ended), session.Ended),
            .. Times(table, nameof(session.Deleted), session.Deleted),
            .. Times(table, nameof(session.Expires), session.Expires),
            .. Mapped(
                table,
                (nameof(session.Status), session.Status, ColumnUse.Any),
                (nameof(session.Archived), session.Archived, ColumnUse.Flag)
            ),
            .. Mapped(table, (nameof(session.ArchiveLocation), session.ArchiveLocation, ColumnUse.Text)),
            .. Mapped(table, [.. source.Keep.Select(c => (nameof(source.Keep), (string?)c, ColumnUse.Any))]),
        ];
    }

    private static IEnumerable<MappedColumn> OfChild(ChildTable child) =>
        [
            .. Columns(child.Name, nameof(child.ForeignKey), child.ForeignKey, ColumnUse.Link),
            .. Columns(child.Name, nameof(child.Key), child.Key, ColumnUse.Any),
            .. Mapped(child.Name, [.. child.Order.Select(c => (nameof(child.Order), (string?)c, ColumnUse.Any))]),
            .. Mapped(child.Name, [.. child.Where.Keys.Select(c => (nameof(child.Where), (string?)c, ColumnUse.Any))]),
            .. Times(child.Name, nameof(child.Time), child.Time),
            .. Times(child.Name, nameof(child.Deleted), child.Deleted),
            .. Columns(child.Parent, nameof(child.ParentKey), child.ParentKey, ColumnUse.Link),
        ];

    private static IEnumerable<MappedColumn> Times(string table, string role, TimeColumn? time)
    {
        if (time is null)
            yield break;
        yield return new(table, role, time.Column, time.At is null ? ColumnUse.Time : ColumnUse.Since) { Form = time.As };
        if (time.Or is { } or)
            yield return new(table, $"{role}:{nameof(time.Or)}", or, ColumnUse.Time) { Form = time.As, Like = time.Column };
        if (time.At is { } at)
            yield return new(table, $"{role}:{nameof(time.At)}", at, ColumnUse.Time) { Form = time.As };
    }

    private static IEnumerable<MappedColumn> Columns(string table, string role, KeyColumns? key, ColumnUse use) =>
        (key ?? []).Select(c => new MappedColumn(table, role, c, use));

    private static IEnumerable<MappedColumn> Mapped(
        string table,
        params IEnumerable<(string Role, string? Column, ColumnUse Use)> columns
    ) => columns.Where(c => c.Column is not null).Select(c => new MappedColumn(table, c.Role, c.Column!, c.Use));
}
