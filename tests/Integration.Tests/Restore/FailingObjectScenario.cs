using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Integration.Tests.Restore;

/// <summary>Three archives in a store that can be made to fail for what a test names, and a budget that is soon spent.</summary>
public abstract class FailingObjectScenario : IAsyncLifetime
{
    private protected const string Fails = "the store fails each time its object is read, and gives others: ";

    private readonly TestServers _servers;
    private readonly FaultProxy _proxy;

    private protected FailingObjectScenario(TestServers servers)
    {
        _servers = servers;
        _proxy = new(servers.S3.Endpoint, (method, path) =>
            method == Method && Failing.Length > 0 && path.Contains(Failing, StringComparison.Ordinal) ? Fault : StoreFault.None
        );
    }

    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    private protected ArchiverFixture Archiver { get; private set; } = null!;

    /// <summary>What has this in its path meets the fault, unless it is empty.</summary>
    private protected string Failing { get; set; } = "";

    private protected string Method { get; set; } = "GET";

    private protected StoreFault Fault { get; set; } = StoreFault.InternalError;

    public async ValueTask InitializeAsync()
    {
        Archiver = await ArchiverFixture.CreateAsync(_servers, Token, idle: 3, young: 0, configure: s =>
            s with
            {
                Storage = s.Storage with { Endpoint = _proxy.Endpoint },
                Retry = s.Retry with { Budget = TimeSpan.FromMilliseconds(100) },
                Safety = s.Safety with { ReconcileAge = TimeSpan.Zero },
            }
        );
        await Archiver.RunAsync(Token);
    }

    public async ValueTask DisposeAsync()
    {
        await Archiver.DisposeAsync();
        await _proxy.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private protected async Task<string> FirstKeyAsync() =>
        (await Archiver.Database.ScalarAsync<string>("SELECT key FROM archiver.objects ORDER BY id LIMIT 1"))!;

    /// <summary>An object that the ledger does not know any more.</summary>
    private protected async Task<string> ForgottenAsync()
    {
        var key = await FirstKeyAsync();
        await Archiver.Database.ExecuteAsync(
            $"DELETE FROM archiver.archives AS a USING archiver.objects AS o WHERE o.id = a.object_id AND o.key = '{key}'; "
                + $"DELETE FROM archiver.objects WHERE key = '{key}'"
        );
        return key;
    }
}
