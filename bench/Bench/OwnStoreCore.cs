using System.Diagnostics;
using System.Globalization;

namespace Archiver.Bench;

/// <summary>
/// A measurement with the store on one core and all else on the others. In production a store has a machine of its own, and what the worker
/// takes slows nothing down there; on one machine both fight for the same cores, and the ratio says more about the machine than about the
/// worker.
/// </summary>
internal sealed class OwnStoreCore(IMeasurement inner, BenchEnvironment environment) : IMeasurement
{
    private const string Suffix = ", store on its own core";

    private static string AllCores => $"0-{Environment.ProcessorCount - 1}";

    public string Name => inner.Name + Suffix;

    public string Description => $"the same as {inner.Name}, with the store's processes bound to one core and all others to the rest";

    public async Task<IReadOnlyList<Measured>> MeasureAsync(CancellationToken cancellationToken)
    {
        try
        {
            await BindAsync(environment.S3Process, "0", cancellationToken);
            foreach (var other in (int[])[environment.PostgresProcess, Environment.ProcessId])
                await BindAsync(other, $"1-{Environment.ProcessorCount - 1}", cancellationToken);
            return [.. (await inner.MeasureAsync(cancellationToken)).Select(m => m with { Name = m.Name + Suffix })];
        }
        finally
        {
            foreach (var process in (int[])[environment.S3Process, environment.PostgresProcess, Environment.ProcessId])
                await BindAsync(process, AllCores, CancellationToken.None);
        }
    }

    /// <summary>Binds all threads of a process and of those below it; what they start later inherits it.</summary>
    private static async Task BindAsync(int root, string cores, CancellationToken cancellationToken)
    {
        foreach (var process in ProcessTree.Below(root, ProcessTree.All()))
        {
            using var taskset = Process.Start(
                new ProcessStartInfo("taskset", ["-a", "-p", "-c", cores, process.Id.ToString(CultureInfo.InvariantCulture)])
                {
                    RedirectStandardOutput = true,
                    RedirectStandardError = true,
                }
            )!;
            await taskset.StandardOutput.ReadToEndAsync(cancellationToken);
            await taskset.WaitForExitAsync(cancellationToken);
            // A backend or a thread may end meanwhile; its own root may not.
            if (taskset.ExitCode != 0 && process.Id == root)
                throw new InvalidOperationException(
                    $"taskset could not bind process {root} to cores {cores}: "
                        + $"{await taskset.StandardError.ReadToEndAsync(cancellationToken)}"
                );
        }
    }
}
