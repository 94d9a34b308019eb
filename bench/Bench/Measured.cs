namespace Archiver.Bench;

/// <summary>One measurement of one round.</summary>
/// <param name="Name">What was measured.</param>
/// <param name="Sessions">How many sessions it handled.</param>
/// <param name="Seconds">Wall time.</param>
/// <param name="Cpu">CPU seconds by program; empty where they were not taken.</param>
internal sealed record Measured(string Name, long Sessions, double Seconds, IReadOnlyDictionary<string, double> Cpu)
{
    public double PerSecond => Sessions / Seconds;
}

/// <summary>Something that is measured once a round.</summary>
internal interface IMeasurement
{
    string Name { get; }

    /// <summary>What it does, in one line for the report.</summary>
    string Description { get; }

    /// <summary>Prepares, measures and cleans up; only the work itself is in the time.</summary>
    Task<IReadOnlyList<Measured>> MeasureAsync(CancellationToken cancellationToken);
}
