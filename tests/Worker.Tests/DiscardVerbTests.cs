using System.Text.Json;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>The end of life of archives, at the command line and by the always-on worker.</summary>
public sealed class DiscardVerbTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Says_what_it_would_do_and_does_that_with_yes()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 4, young: 0);
        await archiver.RunAsync("archive");
        var unset = await archiver.RunAsync("discard", "--yes");
        Assert.Equal(2, unset.ExitCode);
        Assert.Contains("Archiver:Discard:After is not set", unset.Error, StringComparison.Ordinal);
        archiver.With("Discard:After", "365d");
        Assert.Equal(0, (await archiver.RunAsync("discard")).ExitCode);

        await AgeAsync(archiver);
        var plan = await archiver.RunAsync("discard");
        Assert.Equal(3, plan.ExitCode);
        Assert.Contains("main: 4 archives in 4 objects", plan.Output, StringComparison.Ordinal);
        Assert.Contains("would be announced", plan.Output, StringComparison.Ordinal);
        Assert.Equal(
            0,
            await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.objects WHERE discard_announced_at IS NOT NULL")
        );

        Assert.Contains(
            "announced, to be destroyed after the notice",
            (await archiver.RunAsync("discard", "--yes")).Output,
            StringComparison.Ordinal
        );
        await archiver.Database.ExecuteAsync("UPDATE archiver.objects SET discard_announced_at = now() - interval '31 days'");
        Assert.StartsWith(
            "main: would destroy 4 archives in 4 objects",
            (await archiver.RunAsync("discard")).Output,
            StringComparison.Ordinal
        );
        Assert.Equal(4, (await archiver.Bucket.ListKeysAsync("chat_archives/2")).Count);

        var done = await archiver.RunAsync("discard", "--yes", "--json");
        Assert.Equal(0, done.ExitCode);
        Assert.Equal(4, JsonDocument.Parse(done.Output).RootElement[0].GetProperty("discarded").GetProperty("archives").GetInt64());
        Assert.Empty(await archiver.Bucket.ListKeysAsync("chat_archives/2"));
        Assert.Contains("\"@i\":3000", done.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_worker_discards_when_an_age_is_configured()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 0);
        await archiver.RunAsync("archive");
        await AgeAsync(archiver);
        await archiver.Database.ExecuteAsync(
            "UPDATE archiver.objects SET discard_announced_at = now() - interval '31 days'; UPDATE "
                + "archiver.ledger SET created_at = now() - interval '3 days'"
        );

        await using var worker = archiver.With("Discard:After", "365d").Start("run");

        await Eventually.TrueAsync(
            async () => await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state = 'discarded'") == 2,
            Token
        );
        Assert.Empty(await archiver.Bucket.ListKeysAsync("chat_archives/2"));
    }

    private static Task<int> AgeAsync(Installation archiver) =>
        archiver.Database.ExecuteAsync(
            """
            UPDATE archiver.archives SET stored_at = now() - interval '400 days';
            UPDATE archiver.objects SET created_at = now() - interval '400 days', stored_at = now() - interval '400 days';
            """
        );
}
