using System.Globalization;
using Archiver.Core.Settings;

namespace Archiver.Bench;

/// <summary>
/// Whether time per session and memory stay flat while the table grows: the executable on databases of 10,000 sessions and more.
/// </summary>
internal sealed class LongRun(BenchOptions options, BenchEnvironment environment)
{
    private const int Small = 10_000;

    public async Task<ResultFile> RunAsync(CancellationToken cancellationToken)
    {
        var database = new SampleDatabase(environment);
        var executable = new ArchiverExecutable(environment);
        List<ResultRow> rows = [];
        List<ResultCurve> curves = [];
        Dictionary<int, (double PerSession, double Peak)> found = [];
        foreach (var sessions in ((int[])[Small, options.Sessions / 4, options.Sessions]).Where(s => s >= Small).Distinct().Order())
        {
            await Console.Error.WriteLineAsync($"Making {sessions} sessions");
            var name = await database.CreateAsync(sessions, Texts.Long, cancellationToken);
            await database.ExecuteAsync("postgres", "CHECKPOINT", cancellationToken);
            var (seconds, peak, samples) = await executable.ArchiveAsync(
                database.ConnectionString(name),
                $"long-{sessions}",
                StorageLayout.Bundle,
                cancellationToken,
                progress: () => DoneAsync(database, name, cancellationToken)
            );
            var run = await database.ScalarAsync<double>(
                name,
                "SELECT extract(epoch FROM ended_at - started_at)::float8 FROM archiver.runs",
                cancellationToken
            );
            found[sessions] = (run / sessions, peak);
            rows.Add(
                new(
                    $"{sessions} sessions",
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"run {run:0.0} s, process {seconds:0.0} s, peak "
                            + $"memory {peak:0} MB, {1e6 * run / sessions:0} microseconds a session"
                    ),
                    sessions,
                    run,
                    run,
                    run,
                    sessions / run,
                    new Dictionary<string, double>()
                )
            );
            curves.Add(new($"{sessions} sessions", samples));
            await Console.Error.WriteLineAsync($"  {rows[^1].Name}: {rows[^1].Description}");
            await database.DropAsync(name, cancellationToken);
        }
        var largest = found.Keys.Max();
        var plans = await new PlanTimes(environment, database).MeasureAsync(cancellationToken);
        return new()
        {
            Kind = "long",
            Date = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture),
            Machine = await Machine.ReadAsync(database, cancellationToken),
            Rows = rows,
            Ratios =
            [
                new($"peak memory at {largest} sessions", Math.Round(found[largest].Peak), "MB", "at most", 200),
                new(
                    $"time per session, {largest} against {Small}",
                    Math.Round(found[largest].PerSession / found[Small].PerSession, 3),
                    "x",
                    "at most",
                    1.15
                ),
                .. plans,
            ],
            Curves = curves,
        };
    }

    // The ledger has no runs before the program made it.
    private static async Task<long> DoneAsync(SampleDatabase database, string name, CancellationToken cancellationToken) =>
        await database.ScalarAsync<bool>(name, "SELECT to_regclass('archiver.runs') IS NOT NULL", cancellationToken)
            ? await database.ScalarAsync<long>(name, "SELECT coalesce(sum(sessions_done), 0)::bigint FROM archiver.runs", cancellationToken)
            : 0;
}
