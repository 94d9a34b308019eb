using System.Diagnostics;
using Archiver.Core.Settings;

namespace Archiver.Bench;

/// <summary>One batch of 1,000 sessions as a run of its own in a warm process: inspection, lock, plan and all.</summary>
internal sealed class WarmBatchMeasurement(
    BenchEnvironment environment,
    SampleDatabase database,
    string template,
    int sessions,
    CpuClock cpu
) : IMeasurement
{
    private const int Batch = 1000;
    private const int Times = 5;

    private int _round;

    public string Name => "warm batch";

    public string Description => $"one run of {Batch} sessions, layout Bundle, from the call to its summary";

    public async Task<IReadOnlyList<Measured>> MeasureAsync(CancellationToken cancellationToken)
    {
        var copy = await database.CopyAsync(template, cancellationToken);
        var host = new ArchiverHost(
            environment,
            database.ConnectionString(copy),
            $"batch-{_round++}-{Guid.NewGuid():N}",
            StorageLayout.Bundle
        );
        try
        {
            await using (host)
            {
                List<Measured> runs = [];
                // The first creates the ledger and warms the pools.
                for (var i = 0; i <= Math.Min(Times, (sessions - 50) / Batch); i++)
                {
                    var before = cpu.Read();
                    var started = Stopwatch.GetTimestamp();
                    var summary = await host.ArchiveAsync(i == 0 ? 50 : Batch, cancellationToken);
                    var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
                    if (i > 0)
                        runs.Add(new(Name, summary.Sessions, seconds, CpuClock.Between(before, cpu.Read())));
                }
                return runs;
            }
        }
        finally
        {
            await database.DropAsync(copy, CancellationToken.None);
        }
    }
}
