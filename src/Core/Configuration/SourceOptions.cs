namespace Archiver.Core.Configuration;

/// <summary>One entry of <c>Sources</c> as written. <see cref="SourceReader"/> makes the settings.</summary>
internal sealed class SourceOptions
{
    [Secret]
    public string? ConnectionString { get; set; }

    [Secret]
    public string? ReplicaConnectionString { get; set; }

    [Secret]
    public string? LockConnectionString { get; set; }

    public string? Preset { get; set; }

    public string? TimeZone { get; set; }

    public string? Prefix { get; set; }

    public string[]? Keep { get; set; }

    public TablesOptions? Tables { get; set; }

    public Dictionary<string, PolicyOptions>? Policies { get; set; }
}
