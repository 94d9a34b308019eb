using Archiver.Core.Settings;

namespace Archiver.Core.Configuration;

/// <summary>What a mapping must be like whose sessions have no row of their own: whatever is said of a session's row cannot be.</summary>
internal sealed class SessionRows(ValueReader read)
{
    /// <summary>The session with the table of the child that makes it.</summary>
    /// <param name="session">As it was read.</param>
    /// <param name="children">As they were read.</param>
    /// <param name="table">What was stated as its table.</param>
    public SessionTable Check(SessionTable session, IReadOnlyList<ChildTable> children, string? table)
    {
        if (table is not null)
            read.Problem(nameof(session.Table), "must not be given together with From, whose child has the table");
        foreach (
            var (role, column) in new (string, object?)[]
            {
                (nameof(session.ExternalId), session.ExternalId),
                (nameof(session.User), session.User),
                (nameof(session.Ended), session.Ended),
                (nameof(session.Deleted), session.Deleted),
                (nameof(session.Expires), session.Expires),
                (nameof(session.Status), session.Status),
                (nameof(session.Archived), session.Archived),
                (nameof(session.ArchiveLocation), session.ArchiveLocation),
            }
        )
        {
            if (column is not null)
                read.Problem(role, "is a column of a session's row, and with From sessions have none");
        }
        if (session.Key.Count > 1)
            read.Problem(nameof(session.Key), "must be one column: with From a session is every value of it that occurs");
        if (children.FirstOrDefault(c => c.Name.Equals(session.From, StringComparison.OrdinalIgnoreCase)) is not { } child)
        {
            read.Bad(
                nameof(session.From),
                session.From!,
                $"one of {string.Join(", ", children.Select(c => Visible.Text(c.Name)).DefaultIfEmpty("the children, and there are none"))}"
            );
            return session;
        }
        if (
            child.Parent != SourceMap.SessionName
            || child.ForeignKey != session.Key
            || child.Cast is not null
            || children.Any(c => c.Parent == SourceMap.SessionName && c.ParentKey != session.Key)
        )
            read.Problem(
                nameof(session.From),
                $"needs '{child.Name}' right below the session, tied by the session's Key, as is every other child of it"
            );
        return session with { From = child.Name, Table = child.Table };
    }
}
