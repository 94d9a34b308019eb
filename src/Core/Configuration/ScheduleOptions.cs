namespace Archiver.Core.Configuration;

/// <summary>Section <c>Schedule</c> as written.</summary>
internal sealed class ScheduleOptions
{
    public string? TimeZone { get; set; }

    public string? Clustered { get; set; }

    public string? Shards { get; set; }

    /// <summary>Each shard reads the whole index of what is eligible, so many cost more than they give.</summary>
    private const int MostShards = 64;

    public ScheduleSettings Read(ValueReader read)
    {
        var defaults = new ScheduleSettings();
        return new()
        {
            TimeZone = read.Zone(TimeZone) ?? defaults.TimeZone,
            Clustered = read.Flag(Clustered) ?? defaults.Clustered,
            Shards = ReadShards(read) ?? defaults.Shards,
        };
    }

    private int? ReadShards(ValueReader read)
    {
        var shards = read.Count(Shards);
        if (shards is null or <= MostShards)
            return shards;
        read.Bad(nameof(Shards), Shards!, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"at most {MostShards}"));
        return null;
    }
}
