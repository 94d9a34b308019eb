using Archiver.Testing;

namespace Archiver.Worker.Tests.Proof;

/// <summary>Runs the executable so that it dies at a fault point, or to its end after such a death.</summary>
internal static class KilledWorker
{
    /// <summary>On a loaded machine a login may take longer than the driver's 15 s; that is not what the proof is about.</summary>
    public static Installation Patient(this Installation archiver) =>
        archiver.With("Sources:main:ConnectionString", archiver.Database.ConnectionString + ";Timeout=300");

    /// <summary>Starts a verb that must die at the point; a point that it does not reach fails the test.</summary>
    public static async Task KillAtAsync(
        this Installation archiver,
        string point,
        int time,
        CancellationToken cancellationToken,
        params string[] verb
    )
    {
        var result = await UnlockedAsync(archiver, ProcessFault.At(point, time), verb, cancellationToken);
        Assert.True(
            result.ExitCode == ProcessFault.Killed,
            $"'{string.Join(' ', verb)}' was not killed at {point}, time {time}, but ended with {result.ExitCode}: {result.Error}"
        );
    }

    /// <summary>Runs a verb to its end, which must be a good one.</summary>
    public static async Task<ProcessResult> ToRestAsync(
        this Installation archiver,
        CancellationToken cancellationToken,
        params string[] verb
    )
    {
        var result = await UnlockedAsync(archiver, new Dictionary<string, string?>(), verb, cancellationToken);
        Assert.True(result.ExitCode == 0, $"'{string.Join(' ', verb)}' ended with {result.ExitCode}: {result.Error}");
        return result;
    }

    // The server notices a moment later that a killed worker's lock connection is gone.
    private static async Task<ProcessResult> UnlockedAsync(
        Installation archiver,
        IReadOnlyDictionary<string, string?> variables,
        string[] verb,
        CancellationToken cancellationToken
    )
    {
        ProcessResult? result = null;
        await Eventually.TrueAsync(
            async () =>
            {
                result = await RunAsync();
                return result.ExitCode != 3;
            },
            cancellationToken,
            what: "the source's lock was free"
        );
        return result!;

        async Task<ProcessResult> RunAsync()
        {
            // What is not to be killed needs no process of its own.
            if (variables.Count == 0)
                return await archiver.RunAsync(verb);
            await using var process = archiver.Start(variables, verb);
            return await process.WaitForExitAsync(cancellationToken);
        }
    }
}
