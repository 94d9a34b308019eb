using Archiver.Core.Settings;

namespace Archiver.Core.Configuration;

/// <summary>Section <c>Batch</c> as written; <see cref="BatchSettings"/> has the meanings and defaults.</summary>
internal sealed class BatchOptions
{
    public string? Sessions { get; set; }

    public string? Rows { get; set; }

    public string? Bytes { get; set; }

    public string? InFlight { get; set; }

    public string? Pause { get; set; }

    public string? StatementTimeout { get; set; }

    public string? LockTimeout { get; set; }

    public string? MaxReplicationLag { get; set; }

    public string? MaxActive { get; set; }

    public BatchSettings Read(ValueReader read)
    {
        var defaults = new BatchSettings();
        return new()
        {
            Sessions = read.Count(Sessions) ?? defaults.Sessions,
            Rows = read.Count(Rows) ?? defaults.Rows,
            Bytes = read.Size(Bytes) ?? defaults.Bytes,
            InFlight = read.Count(InFlight) ?? defaults.InFlight,
            Pause = read.Pause(Pause) ?? defaults.Pause,
            // Zero would mean "wait for ever" to PostgreSQL.
            StatementTimeout = read.Duration(StatementTimeout, ValueReader.LongestWait) ?? defaults.StatementTimeout,
            LockTimeout = read.Duration(LockTimeout, ValueReader.LongestWait) ?? defaults.LockTimeout,
            MaxReplicationLag = read.Duration(MaxReplicationLag, ValueReader.LongestAge),
            MaxActive = read.Count(MaxActive),
        };
    }
}
