namespace Archiver.Integration.Tests.ApplicationSchemas;

/// <summary>What a preset calls the things that all presets have.</summary>
public sealed record SchemaNames
{
    public required string Sessions { get; init; }

    public required string Key { get; init; }

    public required string Activity { get; init; }

    /// <summary>Turns a timestamptz into the type of the activity column.</summary>
    public string ActivityZone { get; init; } = "";

    public required string Messages { get; init; }

    public required string MessageTime { get; init; }

    public required string NewestFirst { get; init; }

    public required string NewestIndex { get; init; }

    public required string ArchivingIndex { get; init; }
}
