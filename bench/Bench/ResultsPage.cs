using System.Globalization;
using System.Text;

namespace Archiver.Bench;

/// <summary>Makes RESULTS.md and its plots of whatever results there are; nothing in it is written by hand.</summary>
internal static class ResultsPage
{
    public static async Task WriteAsync(string folder, CancellationToken cancellationToken)
    {
        var page = new StringBuilder(
            """
            # Results

            Made by `bench/run.sh`, `bench/run.sh --long` and `bench/memory.sh` from `bench/results/*.json`; not edited by hand.
            `bench/README.md` says how to read it.

            """
        );
        var results = Path.Combine(folder, "results");
        if (await ResultFile.ReadAsync(results, "compare", cancellationToken) is { } compare)
        {
            Heading(page, compare, "Speed", $"all measurements in turns, {compare.Rounds} times; medians");
            Ratios(page, compare);
            Rows(page, compare);
            page.Append("\n![Sessions a second](results/speed.svg)\n\n");
            Cpu(page, compare);
            await File.WriteAllTextAsync(
                Path.Combine(results, "speed.svg"),
                BarChart.Draw("Sessions a second", [.. compare.Rows.Where(r => r.Sessions > 1).Select(r => (r.Name, r.PerSecond))]),
                cancellationToken
            );
        }
        foreach (
            var (kind, title, text) in ((string, string, string)[])
                [
                    ("long", "Long runs", "the built executable `archiver archive`, cold, layout Bundle, default settings"),
                    ("memory", "Huge sessions and values", "the built executable `archiver archive`, default settings"),
                ]
        )
        {
            if (await ResultFile.ReadAsync(results, kind, cancellationToken) is not { } found)
                continue;
            Heading(page, found, title, text);
            Ratios(page, found);
            Rows(page, found);
            if (found.Curves.Count == 0)
                continue;
            page.Append(CultureInfo.InvariantCulture, $"\n![Memory while it runs](results/{kind}.svg)\n");
            await File.WriteAllTextAsync(
                Path.Combine(results, $"{kind}.svg"),
                LineChart.Draw("Resident memory in MB by seconds of the run", found.Curves),
                cancellationToken
            );
        }
        await File.WriteAllTextAsync(Path.Combine(folder, "RESULTS.md"), page.ToString(), cancellationToken);
    }

    private static void Heading(StringBuilder page, ResultFile file, string title, string text)
    {
        var machine = file.Machine;
        page.Append(
            CultureInfo.InvariantCulture,
            $"\n## {title}\n\n{file.Date}. {machine.Processor}, {machine.Cores} cores, "
                + $"{machine.MemoryMegabytes / 1024} GiB; {machine.System}; {machine.Runtime}; {machine.Postgres}; "
                + $"{machine.S3}.\n{Capital(text)}.\n"
        );
    }

    private static void Ratios(StringBuilder page, ResultFile file)
    {
        page.Append("\n| promise | found | limit | |\n|---|---:|---:|---|\n");
        foreach (var ratio in file.Ratios)
            page.Append(
                CultureInfo.InvariantCulture,
                $"| {ratio.Name} | {ratio.Value:0.##} {ratio.Unit} | {ratio.Bound} "
                    + $"{ratio.Limit:0.##} {ratio.Unit} | {(ratio.Met ? "met" : "**not met**")} |\n"
            );
    }

    private static void Rows(StringBuilder page, ResultFile file)
    {
        page.Append("\n| measured | sessions | seconds | fastest to slowest | sessions/s |\n|---|---:|---:|---:|---:|\n");
        foreach (var row in file.Rows)
            page.Append(
                CultureInfo.InvariantCulture,
                $"| {row.Name} | {row.Sessions} | {row.Seconds:0.###} | {row.Fastest:0.###} to "
                    + $"{row.Slowest:0.###} | {row.PerSecond:0.#} |\n"
            );
        page.Append('\n');
        foreach (var row in file.Rows.Where(r => r.Description.Length > 0))
            page.Append(CultureInfo.InvariantCulture, $"- **{row.Name}**: {row.Description}.\n");
    }

    private static void Cpu(StringBuilder page, ResultFile file)
    {
        var rows = file.Rows.Where(r => r.CpuPerThousand.Count > 0).ToList();
        if (rows.Count == 0)
            return;
        var programs = rows[0].CpuPerThousand.Keys.ToList();
        page.Append(
            "Where the time goes: CPU milliseconds for 1,000 sessions, by program. (psql and gzip of the floor are programs of "
                + "their own and not in it.)\n\n"
        );
        page.Append(
            CultureInfo.InvariantCulture,
            $"| measured | {string.Join(" | ", programs)} |\n|---|{string.Concat(programs.Select(_ => "---:|"))}\n"
        );
        foreach (var row in rows)
        {
            var times = programs.Select(p => row.CpuPerThousand[p].ToString("0", CultureInfo.InvariantCulture));
            page.Append(CultureInfo.InvariantCulture, $"| {row.Name} | {string.Join(" | ", times)} |\n");
        }
    }

    private static string Capital(string text) => string.Concat(text[..1].ToUpperInvariant(), text[1..]);
}
