using System.Diagnostics;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Reading;
using Archiver.Core.Restore;
using Archiver.Core.Settings;

namespace Archiver.Bench;

/// <summary>
/// One whole run of the archiver in one layout, read-back included, in a warm process; then from what it stored one session fetched and
/// put back at a time, and all the rest in bulk.
/// </summary>
internal sealed class ArchiveMeasurement(
    BenchEnvironment environment,
    SampleDatabase database,
    string template,
    StorageLayout layout,
    int? most,
    CpuClock cpu
) : IMeasurement
{
    private const int Singles = 15;

    private int _round;

    public string Name => layout.ToString();

    /// <summary>Of the keys, so that the warm-up's are not those of a round.</summary>
    public string Prefix { get; init; } = "run";

    /// <summary>Whether the archives are fetched and restored afterwards.</summary>
    public bool Restores { get; init; } = true;

    public string Description =>
        $"one run of the archiver, layout {layout}: export, upload, read back and compare, delete, ledger; then "
        + "single and bulk restore of it";

    public async Task<IReadOnlyList<Measured>> MeasureAsync(CancellationToken cancellationToken)
    {
        var copy = await database.CopyAsync(template, cancellationToken);
        var host = new ArchiverHost(
            environment,
            database.ConnectionString(copy),
            $"{Prefix}-{layout}-{_round++}-{Guid.NewGuid():N}",
            layout
        );
        try
        {
            await using (host)
            {
                var before = cpu.Read();
                var allocated = GC.GetTotalAllocatedBytes();
                var started = Stopwatch.GetTimestamp();
                var summary = await host.ArchiveAsync(most, cancellationToken);
                var run = new Measured(
                    Name,
                    summary.Sessions,
                    Stopwatch.GetElapsedTime(started).TotalSeconds,
                    CpuClock.Between(before, cpu.Read())
                );
                await Console.Error.WriteLineAsync(
                    $"  {Name}: {(GC.GetTotalAllocatedBytes() - allocated) / summary.Sessions:N0} bytes "
                        + $"allocated a session, {summary.StoredBytes / summary.Sessions} stored of {summary.JsonBytes / summary.Sessions}"
                );
                return !Restores
                    ? [run]
                    : [run, .. await FetchAsync(host, cancellationToken), .. await RestoreAsync(host, summary, cancellationToken)];
            }
        }
        finally
        {
            await database.DropAsync(copy, CancellationToken.None);
        }
    }

    private async Task<IReadOnlyList<Measured>> FetchAsync(ArchiverHost host, CancellationToken cancellationToken)
    {
        var archives = await host.Get<ArchiveList>().ReadAsync(new("main", null, null, null, null, Singles, null), cancellationToken);
        List<Measured> fetched = [];
        foreach (var archive in archives)
        {
            var started = Stopwatch.GetTimestamp();
            var located = await host.Get<ArchiveLocator>().FindAsync("main", archive.SessionId, null, cancellationToken);
            await host.Get<ArchiveDownloader>().CopyJsonAsync(located!, Stream.Null, cancellationToken);
            fetched.Add(new($"{Name}: fetch one", 1, Stopwatch.GetElapsedTime(started).TotalSeconds, new Dictionary<string, double>()));
        }
        return fetched;
    }

    private async Task<IReadOnlyList<Measured>> RestoreAsync(ArchiverHost host, RunSummary run, CancellationToken cancellationToken)
    {
        var archives = await host.Get<ArchiveList>().ReadAsync(new("main", null, null, null, null, Singles, null), cancellationToken);
        List<Measured> restored = [];
        foreach (var archive in archives)
            restored.Add(
                await RestoreAsync(
                    host,
                    $"{Name}: restore one",
                    new()
                    {
                        Source = "main",
                        Who = "bench",
                        Ids = [archive.SessionId],
                    },
                    1,
                    cancellationToken
                )
            );
        restored.Add(
            await RestoreAsync(
                host,
                $"{Name}: restore all",
                new()
                {
                    Source = "main",
                    Who = "bench",
                    Run = run.RunId,
                },
                run.Sessions - archives.Count,
                cancellationToken
            )
        );
        return restored;
    }

    private async Task<Measured> RestoreAsync(
        ArchiverHost host,
        string name,
        RestoreOptions options,
        long expected,
        CancellationToken cancellationToken
    )
    {
        var before = cpu.Read();
        var started = Stopwatch.GetTimestamp();
        var report = await host.Get<RestoreRunner>().RunAsync(options, null, cancellationToken);
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        return report.Outcome == RunOutcome.Done && report.Restored == expected
            ? new(name, report.Restored, seconds, expected == 1 ? new Dictionary<string, double>() : CpuClock.Between(before, cpu.Read()))
            : throw new InvalidOperationException(
                $"The restore was {report.Outcome} with {report.Restored} of {expected} sessions: {report.Error}"
            );
    }
}
