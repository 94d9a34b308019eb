namespace Archiver.Bench;

/// <summary>What is promised of speed, and what was found: each figure within one round, the median of the rounds.</summary>
internal static class SpeedPromises
{
    private const string OwnCore = ", store on its own core";

    private static readonly IReadOnlyList<Promise> All =
    [
        new("Bundle, cold: wall time against the floor", "x", "at most", 0.7, 1.1, r => r("Bundle, cold")?.Each / r("floor")?.Each),
        new("Bundle, cold: CPU time of the archiver, in wall time of the floor", "x", "at most", null, 0.9, r =>
            r("Bundle, cold")?.Cpu(CpuClock.Archiver) / r("floor")?.Each
        ),
        new("Bundle, cold: CPU time of PostgreSQL, in wall time of the floor", "x", "at most", null, 1.1, r =>
            r("Bundle, cold")?.Cpu(CpuClock.Postgres) / r("floor")?.Each
        ),
        new("Bundle, warm: wall time against the floor", "x", "at most", 1.0, null, r => r("Bundle")?.Each / r("floor")?.Each),
        new("Session, cold: speed against the plain script", "x", "at least", 3.0, 3.0, r =>
            r("plain script")?.Each / r("Session, cold")?.Each
        ),
        new("Session, speed against the store's ceiling, store on its own core", "x", "at least", 0.8, 0.8, r =>
            r($"store ceiling{OwnCore}")?.Each / r($"Session{OwnCore}")?.Each
        ),
        new("the same, store, database and worker on the same cores", "x", "at least", 0.8, null, r =>
            r("store ceiling")?.Each / r("Session")?.Each
        ),
        new("one warm batch of 1,000 sessions", "ms", "at most", 1000, null, r => 1e6 * r("warm batch")?.Each),
        new("one session fetched out of a bundle", "ms", "at most", 50, null, r => 1e3 * r("Bundle: fetch one")?.Each),
    ];

    /// <summary>Of what was measured; a promise of which something was left out is not in it.</summary>
    public static IEnumerable<ResultRatio> Of(
        IReadOnlyList<IReadOnlyList<Measured>> rounds,
        Func<IEnumerable<double>, double> median,
        Func<double, double> round
    )
    {
        foreach (var texts in (Texts[])[Texts.Long, Texts.Short])
        {
            foreach (var promise in All)
            {
                var limit = texts == Texts.Long ? promise.Long : promise.Short;
                var values = rounds
                    .Select(r => promise.Figure(name => Figure.Of(r, OfTexts.Of(name, texts), median)))
                    .OfType<double>()
                    .ToList();
                if (limit is { } bound && values.Count > 0)
                    yield return new(OfTexts.Of(promise.Name, texts), round(median(values)), promise.Unit, promise.Bound, bound);
            }
        }
    }

    /// <param name="Long">Limit for long texts; null where nothing is promised.</param>
    /// <param name="Short">Limit for short texts.</param>
    /// <param name="Figure">Of the measurements of a round, by name.</param>
    private sealed record Promise(
        string Name,
        string Unit,
        string Bound,
        double? Long,
        double? Short,
        Func<Func<string, Figure?>, double?> Figure
    );

    /// <summary>One measurement of a round.</summary>
    /// <param name="Each">Seconds a session.</param>
    private sealed record Figure(double Each, IReadOnlyList<Measured> Found, Func<IEnumerable<double>, double> Median)
    {
        public static Figure? Of(IEnumerable<Measured> round, string name, Func<IEnumerable<double>, double> median) =>
            round.Where(m => m.Name == name).ToList() is { Count: > 0 } found
                ? new(median(found.Select(m => m.Seconds / m.Sessions)), found, median)
                : null;

        /// <summary>CPU seconds a session.</summary>
        public double Cpu(string program) => Median(Found.Select(m => m.Cpu[program] / m.Sessions));
    }
}
