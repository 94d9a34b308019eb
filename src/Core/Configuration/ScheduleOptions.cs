using Archiver.Core.Settings;

namespace Archiver.Core.Configuration;

/// <summary>Section <c>Schedule</c> as written.</summary>
internal sealed class ScheduleOptions
{
    public string? TimeZone { get; set; }

    public string? Clustered { get; set; }

    public string? Shards { get; set; }

    public string? Verify { get; set; }

    public string? VerifySample { get; set; }

    public string? RestoreDrill { get; set; }

    public string? RestoreDrillSample { get; set; }

    public string? Reconcile { get; set; }

    /// <summary>Each shard reads the whole index of what is eligible, so many cost more than they give.</summary>
    private const int MostShards = 64;

    /// <param name="read">Reads this section.</param>
    /// <param name="cronProblem">What is wrong with a cron expression, or null.</param>
    public ScheduleSettings Read(ValueReader read, Func<string, string?>? cronProblem)
    {
        var defaults = new ScheduleSettings();
        return new()
        {
            TimeZone = read.Zone(TimeZone) ?? defaults.TimeZone,
            Clustered = read.Flag(Clustered) ?? defaults.Clustered,
            Shards = ReadShards(read) ?? defaults.Shards,
            Verify = ReadCron(read, cronProblem, Verify, nameof(Verify)),
            VerifySample = ReadSample(read, VerifySample, nameof(VerifySample)) ?? defaults.VerifySample,
            RestoreDrill = ReadCron(read, cronProblem, RestoreDrill, nameof(RestoreDrill)),
            RestoreDrillSample = ReadSample(read, RestoreDrillSample, nameof(RestoreDrillSample)) ?? defaults.RestoreDrillSample,
            Reconcile = ReadCron(read, cronProblem, Reconcile, nameof(Reconcile)),
        };
    }

    private static string? ReadCron(ValueReader read, Func<string, string?>? cronProblem, string? raw, string key)
    {
        var cron = read.Text(raw, key);
        if (cron is not null && cronProblem?.Invoke(cron) is { } problem)
            read.Problem(key, $"{problem} (value {Visible.Value(cron)})");
        return cron;
    }

    private static SampleSize? ReadSample(ValueReader read, string? raw, string key)
    {
        if (raw is null)
            return null;
        if (SampleSize.TryParse(raw, out var size))
            return size;
        read.Bad(key, raw, SampleSize.Form);
        return null;
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
