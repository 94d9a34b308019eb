using System.Diagnostics;
using Archiver.Core.Settings;

namespace Archiver.Bench;

/// <summary>
/// The executable as a user starts it, from its start to its exit: what is to be read and connected first is in it.
/// </summary>
internal sealed class ColdMeasurement(
    BenchEnvironment environment,
    SampleDatabase database,
    string template,
    StorageLayout layout,
    int? few,
    CpuClock cpu
) : IMeasurement
{
    private readonly ArchiverExecutable _executable = new(environment);

    public string Name => $"{layout}, cold";

    public string Description =>
        $"archiver archive, published as the README says, from its start to its exit, layout {layout}, default settings";

    public async Task<IReadOnlyList<Measured>> MeasureAsync(CancellationToken cancellationToken)
    {
        var copy = await database.CopyAsync(template, cancellationToken);
        try
        {
            var (before, ended) = (cpu.Read(), ProcessTree.EndedChildren());
            var started = Stopwatch.GetTimestamp();
            await _executable.ArchiveAsync(database.ConnectionString(copy), $"cold-{Guid.NewGuid():N}", layout, cancellationToken, few);
            var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            var used = CpuClock.Between(before, cpu.Read()).ToDictionary(p => p.Key, p => p.Value);
            used[CpuClock.Archiver] = ProcessTree.EndedChildren() - ended;
            var sessions = await database.ScalarAsync<long>(
                copy,
                "SELECT count(*) FROM archiver.archives WHERE state = 'archived'",
                cancellationToken
            );
            return [new(Name, sessions, seconds, used)];
        }
        finally
        {
            await database.DropAsync(copy, CancellationToken.None);
        }
    }
}
