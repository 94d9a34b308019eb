using System.Diagnostics;
using System.Globalization;

namespace Archiver.Bench;

/// <summary>CPU time of this process and of the servers' process trees, from <c>/proc</c>.</summary>
internal sealed class CpuClock(BenchEnvironment environment)
{
    // USER_HZ: what /proc counts in, 100 on every Linux that .NET runs on.
    private const double Ticks = 100;

    /// <summary>CPU seconds used so far, by program.</summary>
    public IReadOnlyDictionary<string, double> Read()
    {
        var parents = Processes();
        using var own = Process.GetCurrentProcess();
        return new Dictionary<string, double>
        {
            ["archiver"] = own.TotalProcessorTime.TotalSeconds,
            ["postgres"] = Tree(environment.PostgresProcess, parents),
            ["s3 server"] = Tree(environment.S3Process, parents),
        };
    }

    /// <summary>CPU seconds between two readings.</summary>
    public static IReadOnlyDictionary<string, double> Between(IReadOnlyDictionary<string, double> before, IReadOnlyDictionary<string, double> after) =>
        after.ToDictionary(p => p.Key, p => p.Value - before[p.Key]);

    private static double Tree(int root, List<(int Id, int Parent, double Seconds)> processes)
    {
        HashSet<int> members = [root];
        while (processes.Where(p => members.Contains(p.Parent)).Any(p => members.Add(p.Id)))
        {
            // Until no generation is added.
        }
        return processes.Where(p => members.Contains(p.Id)).Sum(p => p.Seconds);
    }

    private static List<(int Id, int Parent, double Seconds)> Processes()
    {
        List<(int, int, double)> found = [];
        foreach (var folder in Directory.GetDirectories("/proc").Where(d => char.IsAsciiDigit(Path.GetFileName(d)[0])))
        {
            try
            {
                // The name in parentheses may hold anything; the fields after it are numbers. Own time and that of children that ended.
                var text = File.ReadAllText(Path.Combine(folder, "stat"));
                var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
                found.Add((int.Parse(Path.GetFileName(folder), CultureInfo.InvariantCulture), int.Parse(fields[1], CultureInfo.InvariantCulture),
                    fields[11..15].Sum(f => double.Parse(f, CultureInfo.InvariantCulture)) / Ticks));
            }
            catch (IOException)
            {
                // It ended while we looked.
            }
        }
        return found;
    }
}
