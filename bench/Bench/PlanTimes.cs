using System.Diagnostics;
using System.Globalization;

namespace Archiver.Bench;

/// <summary>How long a person waits for <c>archiver plan</c>, from the shell, the program's own start included.</summary>
internal sealed class PlanTimes(BenchEnvironment environment, SampleDatabase database)
{
    private const int Tries = 3;

    private static readonly (int Sessions, double Limit)[] Sizes = [(10_000, 1), (40_000, 2)];

    public async Task<IReadOnlyList<ResultRatio>> MeasureAsync(CancellationToken cancellationToken)
    {
        var executable = new ArchiverExecutable(environment);
        List<ResultRatio> found = [];
        foreach (var (sessions, limit) in Sizes)
        {
            var name = await database.CreateAsync(sessions, Texts.Long, cancellationToken);
            await executable.RunAsync("migrate", database.ConnectionString(name), cancellationToken);
            List<double> seconds = [];
            for (var i = 0; i < Tries; i++)
            {
                var started = Stopwatch.GetTimestamp();
                await executable.RunAsync("plan", database.ConnectionString(name), cancellationToken);
                seconds.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
            }
            found.Add(
                new(
                    string.Create(CultureInfo.InvariantCulture, $"archiver plan on {sessions} sessions"),
                    Math.Round(seconds.Order().ElementAt(Tries / 2), 2),
                    "s",
                    "at most",
                    limit
                )
            );
            await database.DropAsync(name, cancellationToken);
        }
        return found;
    }
}
