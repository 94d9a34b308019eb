namespace Archiver.Core.Configuration;

/// <summary>Section <c>Schedule</c> as written.</summary>
internal sealed class ScheduleOptions
{
    public string? TimeZone { get; set; }

    public string? Clustered { get; set; }

    public string? Shards { get; set; }

    public ScheduleSettings Read(ValueReader read)
    {
        var defaults = new ScheduleSettings();
        return new()
        {
            TimeZone = read.Zone(TimeZone) ?? defaults.TimeZone,
            Clustered = read.Flag(Clustered) ?? defaults.Clustered,
            Shards = read.Count(Shards) ?? defaults.Shards,
        };
    }
}
