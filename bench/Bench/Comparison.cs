using System.Globalization;
using Archiver.Core.Settings;

namespace Archiver.Bench;

/// <summary>All measurements in turns, round after round, so that what disturbs the machine disturbs all of them.</summary>
internal sealed class Comparison(BenchOptions options, BenchEnvironment environment)
{
    public async Task<ResultFile> RunAsync(CancellationToken cancellationToken)
    {
        var database = new SampleDatabase(environment);
        var cpu = new CpuClock(environment);
        List<IMeasurement> measurements = [];
        foreach (var texts in (Texts[])[Texts.Long, Texts.Short])
        {
            await Console.Error.WriteLineAsync($"Making {options.Sessions} sessions of {SampleDatabase.Messages} messages, {texts} texts");
            measurements.AddRange((await OfAsync(texts, database, cpu, cancellationToken)).Select(m => new OfTexts(m, texts)));
        }
        measurements.RemoveAll(m => !options.Only.Split(',').Any(only => m.Name.Contains(only, StringComparison.OrdinalIgnoreCase)));
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
                    await Console.Error.WriteLineAsync(
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"  {group.Key, -24}{Median(group.Select(g => g.Seconds)), 9:0.000} s "
                                + $"{Median(group.Select(g => g.PerSecond)), 9:0} sessions/s"
                        )
                    );
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
            Rows =
            [
                .. rounds
                    .SelectMany(r => r)
                    .GroupBy(m => m.Name)
                    .Select(g => Row(g, measurements.FirstOrDefault(m => m.Name == g.Key)?.Description ?? "")),
            ],
            Ratios = [.. SpeedPromises.Of(rounds, Median, Round)],
        };
    }

    private async Task<IReadOnlyList<IMeasurement>> OfAsync(
        Texts texts,
        SampleDatabase database,
        CpuClock cpu,
        CancellationToken cancellationToken
    )
    {
        var template = await database.CreateAsync(options.Sessions, texts, cancellationToken);
        var ceiling = new StoreCeilingMeasurement(environment, database, template, options.Few, cpu);
        return
        [
            new FloorMeasurement(environment, database, template, cpu),
            new ColdMeasurement(environment, database, template, StorageLayout.Bundle, null, cpu),
            new ArchiveMeasurement(environment, database, template, StorageLayout.Bundle, null, cpu) { Restores = !options.ArchiveOnly },
            new WarmBatchMeasurement(environment, database, template, options.Sessions, cpu),
            new PlainScriptMeasurement(environment, database, template, options.Few / 5, cpu),
            ceiling,
            new ColdMeasurement(environment, database, template, StorageLayout.Session, options.Few, cpu),
            new ArchiveMeasurement(environment, database, template, StorageLayout.Session, options.Few, cpu)
            {
                Restores = !options.ArchiveOnly,
            },
            new OwnStoreCore(ceiling, environment),
            new OwnStoreCore(
                new ArchiveMeasurement(environment, database, template, StorageLayout.Session, options.Few, cpu)
                {
                    Prefix = "own",
                    Restores = false,
                },
                environment
            ),
        ];
    }

    /// <summary>Everything once on a small database: compiled code and open connections, as in a worker that runs every night.</summary>
    private async Task WarmAsync(SampleDatabase database, CancellationToken cancellationToken)
    {
        var template = await database.CreateAsync(1_500, Texts.Long, cancellationToken);
        var cpu = new CpuClock(environment);
        foreach (var layout in (StorageLayout[])[StorageLayout.Bundle, StorageLayout.Session])
            await new ArchiveMeasurement(environment, database, template, layout, 1_000, cpu)
            {
                Prefix = "warm",
                Restores = !options.ArchiveOnly,
            }.MeasureAsync(cancellationToken);
        await database.DropAsync(template, cancellationToken);
    }

    private static ResultRow Row(IEnumerable<Measured> measured, string description)
    {
        var all = measured.ToList();
        return new(
            all[0].Name,
            description,
            all[0].Sessions,
            Round(Median(all.Select(m => m.Seconds))),
            Round(all.Min(m => m.Seconds)),
            Round(all.Max(m => m.Seconds)),
            Round(Median(all.Select(m => m.PerSecond))),
            all[0].Cpu.Keys.ToDictionary(k => k, k => Round(Median(all.Select(m => 1e6 * m.Cpu[k] / m.Sessions))))
        );
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count % 2 == 1 ? sorted[sorted.Count / 2] : (sorted[(sorted.Count / 2) - 1] + sorted[sorted.Count / 2]) / 2;
    }

    private static double Round(double value) =>
        value == 0 ? 0 : Math.Round(value, Math.Clamp(3 - (int)Math.Floor(Math.Log10(Math.Abs(value))), 0, 6));
}
