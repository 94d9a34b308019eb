using System.Diagnostics;
using System.Globalization;
using Archiver.Core.Settings;

namespace Archiver.Bench;

/// <summary>The built executable as a user runs it, with an eye on its memory.</summary>
internal sealed class ArchiverExecutable(BenchEnvironment environment)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    /// <summary>Archives everything; ends with an error when the program does.</summary>
    /// <param name="most">So many sessions; all unless told.</param>
    /// <param name="progress">Sessions that are done, asked for at each sample.</param>
    /// <returns>Wall time from start to exit, the highest resident memory that the kernel saw, and samples on the way.</returns>
    public async Task<(double Seconds, double PeakMegabytes, IReadOnlyList<CurvePoint> Samples)> ArchiveAsync(
        string connectionString,
        string prefix,
        StorageLayout layout,
        CancellationToken cancellationToken,
        int? most = null,
        Func<Task<long>>? progress = null
    )
    {
        var start = Start("archive", connectionString, prefix, layout);
        start.ArgumentList.Add("--json");
        if (most is { } sessions)
            start.ArgumentList.Add(string.Create(CultureInfo.InvariantCulture, $"--max-sessions={sessions}"));
        var started = Stopwatch.GetTimestamp();
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var exit = process.WaitForExitAsync(cancellationToken);
        var (peak, samples) = (0.0, new List<CurvePoint>());
        while (await Task.WhenAny(exit, Task.Delay(Interval, cancellationToken)) != exit)
        {
            var (now, high) = Memory(process.Id);
            peak = Math.Max(peak, high);
            samples.Add(new(Stopwatch.GetElapsedTime(started).TotalSeconds, progress is null ? 0 : await progress(), now));
        }
        await exit;
        return process.ExitCode == 0
            ? (Stopwatch.GetElapsedTime(started).TotalSeconds, peak, samples)
            : throw new InvalidOperationException($"archiver ended with {process.ExitCode}: {await output}");
    }

    /// <summary>Runs a verb that stores nothing; ends with an error when the program does.</summary>
    public async Task RunAsync(string verb, string connectionString, CancellationToken cancellationToken)
    {
        using var process = Process.Start(Start(verb, connectionString, verb, StorageLayout.Bundle))!;
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"archiver {verb} ended with {process.ExitCode}: {await output}");
    }

    private ProcessStartInfo Start(string verb, string connectionString, string prefix, StorageLayout layout)
    {
        var start = new ProcessStartInfo(environment.Archiver) { ArgumentList = { verb }, RedirectStandardOutput = true };
        foreach (
            var (name, value) in (IEnumerable<(string, string)>)
                [
                    ("Sources__main__ConnectionString", connectionString),
                    ("Sources__main__Preset", "ended-at"),
                    ("Sources__main__Policies__idle__Action", "Archive"),
                    ("Sources__main__Policies__idle__IdleFor", "90d"),
                    ("Storage__Endpoint", environment.S3.ToString()),
                    ("Storage__PathStyle", "true"),
                    ("Storage__Bucket", environment.Bucket),
                    ("Storage__AccessKey", environment.AccessKey),
                    ("Storage__SecretKey", environment.SecretKey),
                    ("Storage__Prefix", prefix),
                    ("Storage__Layout", layout.ToString()),
                    ("Safety__MaxShare", "1"),
                ]
        )
            start.Environment[$"Archiver__{name}"] = value;
        return start;
    }

    /// <summary>Resident memory now and at its highest, from <c>/proc</c>; zeros once the process is gone.</summary>
    private static (double Now, double High) Memory(int id)
    {
        try
        {
            var lines = File.ReadAllLines($"/proc/{id}/status");
            double Field(string name) =>
                lines.FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal)) is { } line
                    ? double.Parse(line[name.Length..].Trim().Split(' ')[0], CultureInfo.InvariantCulture) * 1024 / 1e6
                    : 0;
            return (Field("VmRSS:"), Field("VmHWM:"));
        }
        catch (IOException)
        {
            return (0, 0);
        }
    }
}
