using System.Globalization;

namespace Archiver.Bench;

/// <summary>All measurements in turns, round after round, so that what disturbs the machine disturbs all of them.</summary>
internal sealed class Comparison(BenchOptions options, BenchEnvironment environment)
{
    public async Task<ResultFile> RunAsync(CancellationToken cancellationToken)
    {
        var database = new SampleDatabase(environment);
        var cpu = new CpuClock(environment);
        await Console.Error.WriteLineAsync($"Making {options.Sessions} sessions of {SampleDatabase.Messages} messages");
        var template = await database.CreateAsync(options.Sessions, cancellationToken);
        var ceiling = new StoreCeilingMeasurement(environment, database, template, options.Few, cpu);
        IMeasurement[] measurements =
        [
            new FloorMeasurement(environment, database, template, cpu),
            new ArchiveMeasurement(environment, database, template, Core.Settings.StorageLayout.Bundle, null, cpu) { Restores = !options.ArchiveOnly },
            new WarmBatchMeasurement(environment, database, template, options.Sessions, cpu),
            new PlainScriptMeasurement(environment, database, template, options.Few / 5, cpu),
            ceiling,
            new ArchiveMeasurement(environment, database, template, Core.Settings.StorageLayout.Session, options.Few, cpu) { Restores = !options.ArchiveOnly },
            new OwnStoreCore(ceiling, environment),
            new OwnStoreCore(new ArchiveMeasurement(environment, database, template, Core.Settings.StorageLayout.Session, options.Few, cpu) { Prefix = "own", Restores = false }, environment),
        ];
        measurements = [.. measurements.Where(m => m.Name.Contains(options.Only, StringComparison.OrdinalIgnoreCase))];
        await WarmAsync(database, cancellationToken);

        List<IReadOnlyList<Measured>> rounds = [];
        for (var round = 1; round <= options.Rounds; round++)
        {
            await Console.Error.WriteLineAsync($"Round {round} of {options.Rounds}");
            List<Measured> measured = [];
            foreach (var measurement in measurements)
            {
                var found = await measurement.MeasureAsync(cancellationToken);
                foreach (var group in found.GroupBy(m => m.Name))
                    await Console.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"  {group.Key,-24}{Median(group.Select(g => g.Seconds)),9:0.000} s {Median(group.Select(g => g.PerSecond)),9:0} sessions/s"));
                measured.AddRange(found);
            }
            rounds.Add(measured);
        }
        return new()
        {
            Kind = "compare",
            Date = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture),
            Machine = await Machine.ReadAsync(database, cancellationToken),
            Rounds = options.Rounds,
            Rows = [.. rounds.SelectMany(r => r).GroupBy(m => m.Name).Select(g => Row(g, measurements.FirstOrDefault(m => m.Name == g.Key)?.Description ?? ""))],
            Ratios = [.. Ratios(rounds)],
        };
    }

    /// <summary>Everything once on a small database: compiled code and open connections, as in a worker that runs every night.</summary>
    private async Task WarmAsync(SampleDatabase database, CancellationToken cancellationToken)
    {
        var template = await database.CreateAsync(1_500, cancellationToken);
        var cpu = new CpuClock(environment);
        foreach (var layout in (Core.Settings.StorageLayout[])[Core.Settings.StorageLayout.Bundle, Core.Settings.StorageLayout.Session])
            await new ArchiveMeasurement(environment, database, template, layout, 1_000, cpu) { Prefix = "warm", Restores = !options.ArchiveOnly }.MeasureAsync(cancellationToken);
        await database.DropAsync(template, cancellationToken);
    }

    private static ResultRow Row(IEnumerable<Measured> measured, string description)
    {
        var all = measured.ToList();
        return new(
            all[0].Name, description, all[0].Sessions, Round(Median(all.Select(m => m.Seconds))), Round(all.Min(m => m.Seconds)), Round(all.Max(m => m.Seconds)),
            Round(Median(all.Select(m => m.PerSecond))),
            all[0].Cpu.Keys.ToDictionary(k => k, k => Round(Median(all.Select(m => 1e6 * m.Cpu[k] / m.Sessions)))));
    }

    private static IEnumerable<ResultRatio> Ratios(IReadOnlyList<IReadOnlyList<Measured>> rounds)
    {
        double? Of(Func<Func<string, double?>, double?> figure)
        {
            var values = rounds.Select(round => figure(name => round.Where(m => m.Name == name).Select(m => m.PerSecond).ToList() is { Count: > 0 } found ? Median(found) : null))
                .OfType<double>().ToList();
            return values.Count == 0 ? null : Round(Median(values));
        }
        (string Name, double? Value, string Unit, string Bound, double Limit)[] all =
        [
            ("Bundle, wall time against the floor", Of(r => r("floor") / r("Bundle")), "x", "at most", 1.0),
            ("Session, speed against the plain script", Of(r => r("Session") / r("plain script")), "x", "at least", 3.0),
            ("Session, speed against the store's ceiling, store on its own core", Of(r => r("Session, store on its own core") / r("store ceiling, store on its own core")), "x", "at least", 0.8),
            ("the same, store, database and worker on the same cores", Of(r => r("Session") / r("store ceiling")), "x", "at least", 0.8),
            ("one warm batch of 1,000 sessions", Of(r => 1e6 / r("warm batch")), "ms", "at most", 1000),
            ("one session fetched out of a bundle", Of(r => 1e3 / r("Bundle: fetch one")), "ms", "at most", 50),
        ];
        return all.Where(f => f.Value is not null).Select(f => new ResultRatio(f.Name, f.Value!.Value, f.Unit, f.Bound, f.Limit));
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count % 2 == 1 ? sorted[sorted.Count / 2] : (sorted[(sorted.Count / 2) - 1] + sorted[sorted.Count / 2]) / 2;
    }

    private static double Round(double value) => value == 0 ? 0 : Math.Round(value, Math.Clamp(3 - (int)Math.Floor(Math.Log10(Math.Abs(value))), 0, 6));
}
