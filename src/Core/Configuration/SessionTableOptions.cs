using Archiver.Core.Settings;

namespace Archiver.Core.Configuration;

/// <summary>Section <c>Tables:Session</c> as written.</summary>
internal sealed class SessionTableOptions
{
    public string? Table { get; set; }

    public string? Key { get; set; }

    public string? ExternalId { get; set; }

    public TimeOptions[]? Activity { get; set; }

    public string? User { get; set; }

    public TimeOptions? Created { get; set; }

    public TimeOptions? Ended { get; set; }

    public TimeOptions? Deleted { get; set; }

    public TimeOptions? Expires { get; set; }

    public string? Status { get; set; }

    public string? Archived { get; set; }

    public string? ArchiveLocation { get; set; }

    /// <summary>The session table; what is not stated comes from the preset's, if there is one.</summary>
    public SessionTable Read(ValueReader read, SessionTable? preset) => new()
    {
        Table = TableNames.Read(read, Table) ?? preset?.Table ?? TableNames.Missing(read, nameof(Table)),
        Key = read.Text(Key) ?? preset?.Key ?? read.Missing(nameof(Key)),
        ExternalId = read.Text(ExternalId) ?? preset?.ExternalId,
        Activity = TimeOptions.Read(Activity, read, nameof(Activity)) ?? preset?.Activity ?? TimeOptions.None(read, nameof(Activity)),
        User = read.Text(User) ?? preset?.User,
        Created = TimeOptions.Read(Created, read, nameof(Created)) ?? preset?.Created,
        Ended = TimeOptions.Read(Ended, read, nameof(Ended), flag: true) ?? preset?.Ended,
        Deleted = TimeOptions.Read(Deleted, read, nameof(Deleted), flag: true) ?? preset?.Deleted,
        Expires = TimeOptions.Read(Expires, read, nameof(Expires)) ?? preset?.Expires,
        Status = read.Text(Status) ?? preset?.Status,
        Archived = read.Text(Archived) ?? preset?.Archived,
        ArchiveLocation = read.Text(ArchiveLocation) ?? preset?.ArchiveLocation,
    };
}
