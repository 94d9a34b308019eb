namespace Archiver.Core.Settings;

/// <summary>One validated source: where it is, what is mapped, and its policies in <see cref="Policy.Order"/>.</summary>
public sealed record SourceSettings
{
    // The map is required, and makes it.
    private readonly Present _present = null!;

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
        get => _present.Map;
        init => _present = new(value);
    }

    /// <summary>The optional parts that the database lacks.</summary>
    internal IReadOnlyList<OptionalPart> Missing => _present.Missing;

    /// <summary>Whether nobody has looked yet which optional parts are there.</summary>
    internal bool IsUnsettled => !_present.IsSettled && Map.Optional.Count > 0;

    /// <summary>Whether these settings are one piece of work's, and so as they were found for it.</summary>
    internal bool IsFixed => _present.IsFixed;

    /// <summary>The map as configured, with every optional part.</summary>
    internal SourceMap Whole => _present.Whole;

    public required IReadOnlyList<Policy> Policies { get; init; }

    /// <summary>
    /// Leaves optional parts out of the map, in every copy of these settings that nothing else was found for, until the process ends.
    /// </summary>
    internal void Settle(IReadOnlyList<OptionalPart> missing) => _present.Settle(missing);

    /// <summary>A copy for one piece of work, such as a run: what is found for others later does not change its map.</summary>
    internal SourceSettings Without(IReadOnlyList<OptionalPart> missing)
    {
        var copy = this with { Map = _present.Whole };
        copy._present.IsFixed = true;
        copy.Settle(missing);
        return copy;
    }

    /// <summary>What was found, for all copies of one source.</summary>
    private sealed class Present(SourceMap whole)
    {
        private volatile Found? _found;

        public SourceMap Whole => whole;

        public SourceMap Map => _found?.Map ?? whole;

        public IReadOnlyList<OptionalPart> Missing => _found?.Missing ?? [];

        public bool IsSettled => _found is not null;

        public bool IsFixed { get; set; }

        public void Settle(IReadOnlyList<OptionalPart> missing) =>
            Interlocked.CompareExchange(ref _found, new(missing, missing.Aggregate(whole, (map, part) => part.TakenFrom(map))), null);

        private sealed record Found(IReadOnlyList<OptionalPart> Missing, SourceMap Map);
    }
}
