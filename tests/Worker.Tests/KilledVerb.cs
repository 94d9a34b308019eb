using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>A verb that is killed at a step, and given again until it is done.</summary>
internal static class KilledVerb
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    internal static List<string> Of(string scenario)
    {
        var points = ProcessFault.Points.Where(p => p.StartsWith($"{scenario}.", StringComparison.Ordinal)).ToList();
        Assert.True(points.Count > 3);
        return points;
    }

    internal static async Task KillAtAsync(Installation archiver, string point, params string[] verb)
    {
        var result = await ToRestAsync(archiver, ProcessFault.At(point), verb);
        Assert.True(
            result.ExitCode == ProcessFault.Killed,
            $"'{string.Join(' ', verb)}' was not killed at {point}, but ended with {result.ExitCode}: {result.Output} {result.Error}"
        );
    }

    internal static Task<ProcessResult> ToRestAsync(Installation archiver, params string[] verb) =>
        ToRestAsync(archiver, new Dictionary<string, string?>(), verb);

    // The server notices a moment later that a killed process's lock connection is gone.
    internal static async Task<ProcessResult> ToRestAsync(
        Installation archiver,
        IReadOnlyDictionary<string, string?> variables,
        string[] verb
    )
    {
        ProcessResult? result = null;
        await Eventually.TrueAsync(
            async () =>
            {
                result = await RunAsync();
                return result.ExitCode != 3;
            },
            Token
        );
        return result!;

        async Task<ProcessResult> RunAsync()
        {
            // What is not to be killed needs no process of its own.
            if (variables.Count == 0)
                return await archiver.RunAsync(verb);
            await using var process = archiver.Start(variables, verb);
            return await process.WaitForExitAsync(Token);
        }
    }
}
