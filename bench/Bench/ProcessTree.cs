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
                var fields = Fields(folder);
                found.Add(
                    new(int.Parse(Path.GetFileName(folder), CultureInfo.InvariantCulture), (int)fields[1], fields[11..15].Sum() / Ticks)
                );
            }
            catch (IOException)
            {
                // It ended while we looked.
            }
        }
        return found;
    }

    /// <summary>CPU seconds of the programs that this process has started and that have ended.</summary>
    public static double EndedChildren() => Fields("/proc/self")[13..15].Sum() / Ticks;

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

    /// <summary>What follows the name, which stands in parentheses and may hold anything; the first is the state, here a zero.</summary>
    private static double[] Fields(string folder)
    {
        var text = File.ReadAllText(Path.Combine(folder, "stat"));
        return [0, .. text[(text.LastIndexOf(')') + 4)..].Split(' ').Select(f => double.Parse(f, CultureInfo.InvariantCulture))];
    }
}
