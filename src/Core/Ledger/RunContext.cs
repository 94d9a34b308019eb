using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Ledger;

/// <summary>What every stage of one run needs to know; fixed when the run begins.</summary>
internal sealed record RunContext
{
    /// <summary>UUIDv7.</summary>
    public required Guid Id { get; init; }

    public required SourceSettings Source { get; init; }

    public required Policy Policy { get; init; }

    /// <summary>The part of the source's sessions that the run is about.</summary>
    public Shard Shard { get; init; } = Shard.Whole;

    public required BatchSettings Batch { get; init; }

    public required Cutoffs Cutoffs { get; init; }

    public required DatabaseIdentity Database { get; init; }

    /// <summary>The mapped tables as inspection found them.</summary>
    public required SourceShape Shape { get; init; }

    public required SourceConnections Connections { get; init; }

    public required Lease Lease { get; init; }

    /// <summary>What inspection says that a person should know.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>False before there is a ledger: then it keeps no session out.</summary>
    public bool HasLedger { get; init; } = true;

    /// <summary>Told when a transaction cannot be watched for others that wait for it.</summary>
    public UnwatchedWarning? Unwatched { get; init; }
}
