using System.Globalization;

namespace Archiver.Bench;

/// <summary>The machine's processes, from <c>/proc</c>.</summary>
internal static class ProcessTree
{
    // USER_HZ: what /proc counts in, 100 on every Linux that .NET runs on.
    private const double Ticks = 100;

    /// <summary>One process.</summary>
    /// <param name="Id">Its number.</param>
    /// <param name="Parent">The number of the process that started it.</param>
    /// <param name="CpuSeconds">CPU time of its own and of children that ended.</param>
    internal readonly record struct Node(int Id, int Parent, double CpuSeconds);

    /// <summary>All that run now.</summary>
    public static IReadOnlyList<Node> All()
    {
        List<Node> found = [];
        foreach (var folder in Directory.GetDirectories("/proc").Where(d => char.IsAsciiDigit(Path.GetFileName(d)[0])))
        {
            try
            {
                // The name in parentheses may hold anything; the fields after it are numbers.
                var text = File.ReadAllText(Path.Combine(folder, "stat"));
                var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
                found.Add(new(
                    int.Parse(Path.GetFileName(folder), CultureInfo.InvariantCulture), int.Parse(fields[1], CultureInfo.InvariantCulture),
                    fields[11..15].Sum(f => double.Parse(f, CultureInfo.InvariantCulture)) / Ticks));
            }
            catch (IOException)
            {
                // It ended while we looked.
            }
        }
        return found;
    }

    /// <summary>A process and all that it started, directly or not.</summary>
    public static IEnumerable<Node> Below(int root, IReadOnlyList<Node> all)
    {
        HashSet<int> members = [root];
        while (all.Where(p => members.Contains(p.Parent)).Any(p => members.Add(p.Id)))
        {
            // Until no generation is added.
        }
        return all.Where(p => members.Contains(p.Id));
    }
}
