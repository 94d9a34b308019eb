using Archiver.Core.Settings;

namespace Archiver.Core.Configuration;

/// <summary>Section <c>Tables:Session</c> as written.</summary>
internal sealed class SessionTableOptions
{
    public string? Table { get; set; }

    public string? From { get; set; }

    [OneOrMore]
    public string[]? Key { get; set; }

    [Role]
    public string? ExternalId { get; set; }

    public TimeOptions[]? Activity { get; set; }

    [Role]
    public string? User { get; set; }

    [Role]
    public TimeOptions? Created { get; set; }

    [Role]
    public TimeOptions? Ended { get; set; }

    [Role]
    public TimeOptions? Deleted { get; set; }

    [Role]
    public TimeOptions? Expires { get; set; }

    [Role]
    public string? Status { get; set; }

    [Role]
    public string? Archived { get; set; }

    [Role]
    public string? ArchiveLocation { get; set; }

    /// <summary>The session table; what is not stated comes from the preset's, if there is one.</summary>
    public SessionTable Read(ValueReader read, SessionTable? preset) =>
        new()
        {
            // With From it is that child's, which is read later.
            Table = TableNames.Read(read, Table)
                ?? preset?.Table
                ?? (From is null ? TableNames.Missing(read, nameof(Table)) : TableNames.Unknown),
            From = read.Text(From) ?? (Table is null ? preset?.From : null),
            Key = TableNames.Key(read, Key) ?? preset?.Key ?? read.Missing(nameof(Key)),
            ExternalId = read.Role(ExternalId, preset?.ExternalId),
            Activity = TimeOptions.Read(Activity, read, nameof(Activity)) ?? preset?.Activity ?? TimeOptions.None(read, nameof(Activity)),
            User = read.Role(User, preset?.User),
            Created = TimeOptions.Role(Created, read, nameof(Created), preset?.Created),
            Ended = TimeOptions.Role(Ended, read, nameof(Ended), preset?.Ended, flag: true),
            Deleted = TimeOptions.Role(Deleted, read, nameof(Deleted), preset?.Deleted, flag: true),
            Expires = TimeOptions.Role(Expires, read, nameof(Expires), preset?.Expires),
            Status = read.Role(Status, preset?.Status),
            Archived = read.Role(Archived, preset?.Archived),
            ArchiveLocation = read.Role(ArchiveLocation, preset?.ArchiveLocation),
        };
}
