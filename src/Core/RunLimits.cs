using Archiver.Core.Ledger;

namespace Archiver.Core;

/// <summary>What stops a run between two batches without being a failure: a person's pause, or its time is up. What is left is for the next run.</summary>
internal sealed class RunLimits(RunContext run, TimeProvider time)
{
    private readonly long _started = time.GetTimestamp();

    /// <summary>Why no further batch is to be taken, or null.</summary>
    public async Task<string?> ReachedAsync(CancellationToken cancellationToken)
    {
        if (run.Policy.MaxDuration is { } longest && time.GetElapsedTime(_started) >= longest)
            return "MaxDuration is reached";
        await using var connection = await run.Connections.OpenAsync(cancellationToken).ConfigureAwait(false);
        return await Pauses.FindAsync(connection, run.Source.Name, run.Policy.Name, cancellationToken).ConfigureAwait(false) is { } name
            ? $"archiver pause ({name})"
            : null;
    }
}
