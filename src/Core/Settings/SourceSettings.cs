namespace Archiver.Core.Settings;

/// <summary>One validated source: where it is, what is mapped, and its policies in <see cref="Policy.Order"/>.</summary>
public sealed record SourceSettings
{
    private readonly Present _present = new();

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

    /// <summary>As configured; without the optional parts that the database lacks, once that is settled.</summary>
    public required SourceMap Map
    {
        get => _present.Map ?? field;
        init
        {
            field = value;
            _present = new();
        }
    }

    /// <summary>The optional parts that the database lacks.</summary>
    internal IReadOnlyList<OptionalPart> Missing => _present.Missing;

    /// <summary>Whether nobody has looked yet which optional parts are there.</summary>
    internal bool IsUnsettled => _present.Map is null && Map.Optional.Count > 0;

    public required IReadOnlyList<Policy> Policies { get; init; }

    /// <summary>
    /// Leaves optional parts out of the map, in every copy of these settings and until the process ends: a run must not see it change.
    /// </summary>
    internal void Settle(IReadOnlyList<OptionalPart> missing) =>
        _present.Settle(missing, missing.Aggregate(Map, (map, part) => part.TakenFrom(map)));

    /// <summary>What was found, for all copies of one source.</summary>
    private sealed class Present
    {
        private volatile Found? _found;

        public SourceMap? Map => _found?.Map;

        public IReadOnlyList<OptionalPart> Missing => _found?.Missing ?? [];

        public void Settle(IReadOnlyList<OptionalPart> missing, SourceMap map) =>
            Interlocked.CompareExchange(ref _found, new(missing, map), null);

        private sealed record Found(IReadOnlyList<OptionalPart> Missing, SourceMap Map);
    }
}
