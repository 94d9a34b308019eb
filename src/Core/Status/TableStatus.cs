namespace Archiver.Core.Status;

/// <summary>Size and health of one mapped table, partitions included.</summary>
internal sealed record TableStatus
{
    /// <summary>Rows that are dead and not yet vacuumed count only above this.</summary>
    private const long ManyDeadRows = 10_000;

    /// <summary>Share of dead rows at which autovacuum, by its default, would have come by.</summary>
    private const double MuchDead = 0.2;

    /// <summary>Name in the map, such as <c>session</c> or <c>messages</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Schema and table, for people.</summary>
    public required string Table { get; init; }

    /// <summary>Table, indexes and TOAST.</summary>
    public required long Bytes { get; init; }

    /// <summary>Rows as the server's statistics estimate them.</summary>
    public required long Rows { get; init; }

    /// <summary>Rows that were deleted or updated and that no vacuum has taken yet; an estimate too.</summary>
    public required long DeadRows { get; init; }

    public required DateTimeOffset? LastVacuum { get; init; }

    /// <summary>Rows with a time in the mapped <c>Deleted</c> column; null where none is mapped, or counting took too long.</summary>
    public required long? SoftDeleted { get; init; }

    /// <summary>Size above which it is <see cref="TooLarge"/>; null for tables without one.</summary>
    public required long? Threshold { get; init; }

    public bool TooLarge => Bytes > Threshold;

    /// <summary>Deletes left more dead rows than autovacuum would tolerate.</summary>
    public bool NeedsVacuum => DeadRows > ManyDeadRows && DeadRows > MuchDead * Rows;
}
