using Archiver.Testing;

namespace Archiver.Worker.Tests.Proof;

/// <summary>Verbs that must be refused, or done, while others kill workers: the source's lock may be one's that is dead.</summary>
internal sealed class ProofVerbs(Installation archiver)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async Task RefusedAsync(string advice, params string[][] verbs)
    {
        foreach (var verb in verbs)
        {
            var result = await archiver.RunAsync(verb);
            Assert.True(
                result.ExitCode == 3 && (result.Output + result.Error).Contains(advice, StringComparison.Ordinal),
                $"'{string.Join(' ', verb)}' was not refused with '{advice}' but ended with {result.ExitCode}: "
                    + $"{result.Output}{result.Error}"
            );
        }
    }

    public async Task DoneAsync(params string[] verb)
    {
        var result = await UnlessLockedAsync(verb);
        Assert.True(result.ExitCode == 0, $"'{string.Join(' ', verb)}' ended with {result.ExitCode}: {result.Output}{result.Error}");
    }

    // The server notices a moment later that a killed worker's lock connection is gone.
    public async Task<ProcessResult> UnlessLockedAsync(string[] verb)
    {
        ProcessResult? result = null;
        await Eventually.TrueAsync(
            async () => (result = await archiver.RunAsync(verb)).ExitCode != 3,
            Token,
            what: $"'{string.Join(' ', verb)}' was not refused"
        );
        return result!;
    }
}
