namespace Archiver.Core.Settings;

/// <summary>One validated source: where it is, what is mapped, and its policies in <see cref="Policy.Order"/>.</summary>
public sealed record SourceSettings
{
    public required string Name { get; init; }

    public required string ConnectionString { get; init; }

    public string? ReplicaConnectionString { get; init; }

    /// <summary>A direct connection for the run lock where the main one goes through a transaction pooler.</summary>
    public string? LockConnectionString { get; init; }

    /// <summary>IANA name of the zone that timestamps without time zone are in.</summary>
    public string TimeZone { get; init; } = "UTC";

    /// <summary>Prefix of this source's object keys, without slashes at its ends.</summary>
    public required string Prefix { get; init; }

    /// <summary>Session columns kept in the ledger, so that archived sessions stay listable.</summary>
    public IReadOnlyList<string> Keep { get; init; } = [];

    public required SourceMap Map { get; init; }

    public required IReadOnlyList<Policy> Policies { get; init; }
}
