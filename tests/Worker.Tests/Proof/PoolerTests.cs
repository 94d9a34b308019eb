using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Worker.Tests.Proof;

/// <summary>A transaction pooler between worker and database (PROTOCOL.md rule 8).</summary>
public sealed class PoolerTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Is_refused_with_the_setting_that_helps()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 1);
        await using var pooler = await PgBouncer.StartAsync(archiver.Database.ConnectionString, Token);
        archiver.With("Sources:main:ConnectionString", pooler.ConnectionString);

        var result = await archiver.RunAsync("archive");

        Assert.Equal(3, result.ExitCode);
        Assert.Contains("Archiver:Sources:main:LockConnectionString", result.Error, StringComparison.Ordinal);
        Assert.Equal(4, await archiver.LiveSessionsAsync());
    }

    [Fact]
    public async Task Works_with_a_direct_connection_for_the_lock()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 1);
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        await using var pooler = await PgBouncer.StartAsync(archiver.Database.ConnectionString, Token);
        archiver.With("Sources:main:ConnectionString", pooler.ConnectionString).With("Sources:main:LockConnectionString", archiver.Database.ConnectionString);

        await archiver.ToRestAsync(Token, "archive");

        Assert.Equal(1, await archiver.LiveSessionsAsync());
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
    }
}
