using System.Globalization;
using System.Runtime.InteropServices;

namespace Archiver.Bench;

/// <summary>Where figures come from, for the report: no figure means anything without it.</summary>
internal sealed record Machine(string Processor, int Cores, long MemoryMegabytes, string System, string Runtime, string Postgres, string S3)
{
    public static async Task<Machine> ReadAsync(SampleDatabase database, CancellationToken cancellationToken) =>
        new(
            Field("/proc/cpuinfo", "model name") ?? "unknown processor",
            Environment.ProcessorCount,
            long.Parse(Field("/proc/meminfo", "MemTotal")!.Split(' ')[0], CultureInfo.InvariantCulture) / 1024,
            $"{Field("/etc/os-release", "PRETTY_NAME", '=')?.Trim('"') ?? RuntimeInformation.OSDescription}, Linux "
                + $"{Environment.OSVersion.Version}",
            RuntimeInformation.FrameworkDescription,
            await database.ScalarAsync<string>(
                "postgres",
                "SELECT 'PostgreSQL ' || split_part(current_setting('server_version'), ' ', 1) || ', fsync ' || current_setting('fsync')",
                cancellationToken
            ),
            "Ceph RADOS Gateway with one OSD in memory"
        );

    private static string? Field(string file, string name, char separator = ':') =>
        File.ReadLines(file).Select(l => l.Split(separator, 2)).FirstOrDefault(l => l.Length == 2 && l[0].Trim() == name)?[1].Trim();
}
