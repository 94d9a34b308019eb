using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>An installation whose archives may be discarded.</summary>
public abstract class OwnershipScenario(TestServers servers)
{
    private protected TestServers Servers { get; } = servers;

    private protected const string Due = """
        UPDATE archiver.archives SET stored_at = now() - interval '400 days';
        UPDATE archiver.objects
          SET created_at = now() - interval '400 days', stored_at = now() - interval '400 days',
            discard_announced_at = now() - interval '31 days';
        UPDATE archiver.ledger SET created_at = now() - interval '3 days';
        """;

    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    private protected async Task<Installation> ArchivedAsync(string layout = "Session", string? postgres = null)
    {
        var archiver = await Installation.CreateAsync(Servers, Token, idle: 3, young: 0, messages: 1, postgres: postgres);
        archiver.With("Discard:After", "365d").With("Storage:Layout", layout);
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        await archiver.Database.ExecuteAsync(Due);
        return archiver;
    }

    private protected static async Task<IReadOnlyList<string>> ObjectsAsync(Installation archiver) =>
        [.. (await archiver.Bucket.ListKeysAsync("chat_archives/")).Where(k => !k.Contains("/.archiver/", StringComparison.Ordinal))];
}
