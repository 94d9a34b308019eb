using System.Diagnostics;

namespace Archiver.Bench;

/// <summary>CPU time of this process and of the servers' process trees, from <c>/proc</c>.</summary>
internal sealed class CpuClock(BenchEnvironment environment)
{
    public const string Archiver = "archiver",
        Postgres = "postgres";

    /// <summary>CPU seconds used so far, by program.</summary>
    public IReadOnlyDictionary<string, double> Read()
    {
        var processes = ProcessTree.All();
        using var own = Process.GetCurrentProcess();
        return new Dictionary<string, double>
        {
            [Archiver] = own.TotalProcessorTime.TotalSeconds,
            [Postgres] = ProcessTree.Below(environment.PostgresProcess, processes).Sum(p => p.CpuSeconds),
            ["s3 server"] = ProcessTree.Below(environment.S3Process, processes).Sum(p => p.CpuSeconds),
        };
    }

    /// <summary>CPU seconds between two readings.</summary>
    public static IReadOnlyDictionary<string, double> Between(
        IReadOnlyDictionary<string, double> before,
        IReadOnlyDictionary<string, double> after
    ) => after.ToDictionary(p => p.Key, p => p.Value - before[p.Key]);
}
