namespace Archiver.Core.Query;

/// <summary>What one question may take.</summary>
/// <param name="Memory">Bytes of memory of the whole process, about.</param>
internal sealed record QueryLimits(long Memory)
{
    /// <summary>Unless <c>--memory</c> says otherwise.</summary>
    public const long DefaultMemory = 512L << 20;

    /// <summary>What is left for DuckDB of less is too little for anything.</summary>
    public const long LeastMemory = 256L << 20;

    /// <summary>Of the process without DuckDB: the runtime, what is being fetched, and DuckDB's own code.</summary>
    private const long Ours = 192L << 20;

    /// <summary>What may be fetched without being asked.</summary>
    public const long Unasked = 1_000_000_000;

    /// <summary>What DuckDB may hold before it spills.</summary>
    public long DuckMemory => Memory - Ours;
}
