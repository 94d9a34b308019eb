using Archiver.Core.Settings;

namespace Archiver.Core.Inspection;

/// <summary>A column that the configuration names.</summary>
/// <param name="Table">Name of its table in the map.</param>
/// <param name="Role">The key of the configuration that names it, such as <c>Activity</c>.</param>
internal sealed record MappedColumn(string Table, string Role, string Column, ColumnUse Use)
{
    /// <summary>Every column that a source's configuration names; one may come in several roles.</summary>
    public static IEnumerable<MappedColumn> Of(SourceSettings source) =>
        [.. OfSession(source), .. source.Map.Children.SelectMany(c => OfChild(c))];

    private static IEnumerable<MappedColumn> OfSession(SourceSettings source)
    {
        var session = source.Map.Session;
        IEnumerable<(string Role, string? Column, ColumnUse Use)> columns =
        [
            (nameof(session.Key), session.Key, ColumnUse.Key),
            (nameof(session.ExternalId), session.ExternalId, ColumnUse.Key),
            .. session.Activity.Select(c => (nameof(session.Activity), (string?)c, ColumnUse.Time)),
            (nameof(session.User), session.User, ColumnUse.Any),
            (nameof(session.Created), session.Created, ColumnUse.Time),
            (nameof(session.Ended), session.Ended, ColumnUse.Time),
            (nameof(session.Deleted), session.Deleted, ColumnUse.Time),
            (nameof(session.Expires), session.Expires, ColumnUse.Time),
            (nameof(session.Status), session.Status, ColumnUse.Any),
            (nameof(session.Archived), session.Archived, ColumnUse.Flag),
            (nameof(session.ArchiveLocation), session.ArchiveLocation, ColumnUse.Text),
            .. source.Keep.Select(c => (nameof(source.Keep), (string?)c, ColumnUse.Any)),
        ];
        return Mapped(SourceMap.SessionName, columns);
    }

    private static IEnumerable<MappedColumn> OfChild(ChildTable child) =>
    [
        .. Mapped(child.Name,
        [
            (nameof(child.ForeignKey), child.ForeignKey, ColumnUse.Link),
            (nameof(child.Key), child.Key, ColumnUse.Any),
            .. child.Order.Select(c => (nameof(child.Order), (string?)c, ColumnUse.Any)),
            (nameof(child.Time), child.Time, ColumnUse.Time),
            (nameof(child.Deleted), child.Deleted, ColumnUse.Time),
        ]),
        new(child.Parent, nameof(child.ParentKey), child.ParentKey, ColumnUse.Link),
    ];

    private static IEnumerable<MappedColumn> Mapped(string table, IEnumerable<(string Role, string? Column, ColumnUse Use)> columns) =>
        columns.Where(c => c.Column is not null).Select(c => new MappedColumn(table, c.Role, c.Column!, c.Use));
}
