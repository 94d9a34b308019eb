using System.Text.Json;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>Legal holds at the command line.</summary>
public sealed class HoldVerbTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_person_adds_lists_and_removes_holds()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 1);
        var session = await archiver.Database.ScalarAsync<string>("SELECT session_id::text FROM chat_sessions ORDER BY last_activity LIMIT 1");

        var added = await archiver.RunAsync("hold", "add", "--session", session!, "--reason", "case 2026-17");
        Assert.Equal((0, "main: hold 1 added\nmain: it covers 1 session in the database and 0 archives\nmain: all holds cover 1 session in the database and 0 archives\n"), (added.ExitCode, added.Output));
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        Assert.Equal(2, await archiver.LiveSessionsAsync());

        var listed = JsonDocument.Parse((await archiver.RunAsync("hold", "list", "--json")).Output).RootElement[0];
        Assert.Equal((session, "case 2026-17"), (listed.GetProperty("session_id").GetString(), listed.GetProperty("reason").GetString()));
        Assert.Contains($"session {session}", (await archiver.RunAsync("hold", "list")).Output, StringComparison.Ordinal);

        Assert.Equal(0, (await archiver.RunAsync("hold", "remove", "1")).ExitCode);
        Assert.Equal("[]\n", (await archiver.RunAsync("hold", "list", "--json")).Output);
        Assert.Equal(1, (await archiver.RunAsync("hold", "remove", "1")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        Assert.Equal(1, await archiver.LiveSessionsAsync());
        Assert.Equal(2, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.audit WHERE action LIKE 'hold %'"));
    }

    [Theory]
    [InlineData(2, "one of the three", "--user", "a", "--session", "b")]
    [InlineData(2, "one of the three")]
    [InlineData(2, "--from must be before --to", "--from", "2026-02-01", "--to", "2026-01-01")]
    [InlineData(1, "has no session '00000000-0000-0000-0000-000000000000'", "--session", "00000000-0000-0000-0000-000000000000")]
    [InlineData(2, "'nobody' is no value of public.chat_sessions", "--session", "nobody")]
    public async Task A_hold_that_would_hold_nothing_is_refused(int exitCode, string message, params string[] arguments)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);

        var result = await archiver.RunAsync(["hold", "add", "--reason", "x", .. arguments]);

        Assert.Equal(exitCode, result.ExitCode);
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
    }
}
