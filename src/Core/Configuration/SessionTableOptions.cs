using Archiver.Core.Settings;

namespace Archiver.Core.Configuration;

/// <summary>Section <c>Tables:Session</c> as written.</summary>
internal sealed class SessionTableOptions
{
    public string? Table { get; set; }

    public string? Key { get; set; }

    public string? ExternalId { get; set; }

    public string[]? Activity { get; set; }

    public string? User { get; set; }

    public string? Created { get; set; }

    public string? Ended { get; set; }

    public string? Deleted { get; set; }

    public string? Expires { get; set; }

    public string? Status { get; set; }

    public string? Archived { get; set; }

    public string? ArchiveLocation { get; set; }

    /// <summary>The session table; what is not stated comes from the preset's, if there is one.</summary>
    public SessionTable Read(ValueReader read, SessionTable? preset) => new()
    {
        Table = TableNames.Read(read, Table) ?? preset?.Table ?? TableNames.Missing(read, nameof(Table)),
        Key = read.Text(Key) ?? preset?.Key ?? read.Missing(nameof(Key)),
        ExternalId = read.Text(ExternalId) ?? preset?.ExternalId,
        Activity = TableNames.Columns(read, Activity) ?? preset?.Activity ?? TableNames.NoColumns(read, nameof(Activity)),
        User = read.Text(User) ?? preset?.User,
        Created = read.Text(Created) ?? preset?.Created,
        Ended = read.Text(Ended) ?? preset?.Ended,
        Deleted = read.Text(Deleted) ?? preset?.Deleted,
        Expires = read.Text(Expires) ?? preset?.Expires,
        Status = read.Text(Status) ?? preset?.Status,
        Archived = read.Text(Archived) ?? preset?.Archived,
        ArchiveLocation = read.Text(ArchiveLocation) ?? preset?.ArchiveLocation,
    };
}
