using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>An installation whose source is inspected and advised of.</summary>
public abstract class AdviceScenario(TestServers servers)
{
    private protected TestServers Servers { get; } = servers;

    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    private protected async Task<Installation> CreateAsync(string schema)
    {
        var archiver = await Installation.CreateAsync(Servers, schema, Token);
        archiver
            .With("Sources:main:Tables:Session:Table", "chats")
            .With("Sources:main:Tables:Session:Key", "id")
            .With("Sources:main:Tables:Session:Activity:0", "seen");
        Assert.Equal(0, (await archiver.RunAsync("migrate")).ExitCode);
        return archiver;
    }
}
