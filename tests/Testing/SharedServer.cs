using Xunit;

namespace Archiver.Testing;

/// <summary>A server that all tests of an assembly share: at an address from the environment, or started here, or not to be had.</summary>
/// <remarks>
/// It is only when a test asks for the address that a missing server matters: then that test is skipped at home and fails in CI.
/// </remarks>
internal sealed class SharedServer<TAddress> : IAsyncDisposable
    where TAddress : class
{
    private readonly TAddress? address;
    private readonly ServerScript? script;
    private readonly string problem = "";

    /// <summary>A server that somebody else keeps.</summary>
    public SharedServer(TAddress address) => this.address = address;

    private SharedServer(ServerScript script, TAddress address) => (this.script, this.address) = (script, address);

    private SharedServer(string problem) => this.problem = problem;

    /// <summary>Folder of a server that was started here.</summary>
    public string? Folder => script?.Folder;

    /// <summary>Where it is; ends the test where there is none.</summary>
    public TAddress Address => address ?? throw Unavailable();

    /// <summary>Starts the server; its failure is remembered, not thrown.</summary>
    public static async Task<SharedServer<TAddress>> StartAsync(string name, Func<ServerScript, TAddress> addressOf)
    {
        try
        {
            var script = await ServerScript.StartAsync(name, CancellationToken.None);
            return new SharedServer<TAddress>(script, addressOf(script));
        }
        catch (InvalidOperationException e)
        {
            return new SharedServer<TAddress>(e.Message);
        }
    }

    public ValueTask DisposeAsync() => script?.DisposeAsync() ?? ValueTask.CompletedTask;

    private InvalidOperationException Unavailable()
    {
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("CI")))
            Assert.Skip(problem);
        return new InvalidOperationException($"CI must not skip tests, and a test server is missing: {problem}");
    }
}
