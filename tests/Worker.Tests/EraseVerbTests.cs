using System.Text.Json;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>The right to erasure at the command line.</summary>
public sealed class EraseVerbTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Says_what_it_would_erase_and_prints_a_receipt_of_what_it_did()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 1, messages: 2);
        await archiver.Database.ExecuteAsync(
            "UPDATE chat_sessions SET user_id = 'forget-me' WHERE session_id IN (SELECT session_id FROM "
                + "chat_sessions ORDER BY last_activity DESC LIMIT 2)"
        );
        await archiver.RunAsync("archive");

        var plan = await archiver.RunAsync("erase", "--user", "forget-me");
        Assert.Equal(3, plan.ExitCode);
        Assert.StartsWith("main: would erase 2 sessions", plan.Output, StringComparison.Ordinal);
        Assert.Contains("main: 3 rows, 1 archive, 1 object", plan.Output, StringComparison.Ordinal);
        Assert.Equal((1, 3), (await archiver.LiveSessionsAsync(), (await archiver.Bucket.ListKeysAsync("chat_archives/2")).Count));

        var done = await archiver.RunAsync("erase", "--user", "forget-me", "--yes", "--json", "--reason", "request 12");
        Assert.True(done.ExitCode == 0, done.Error);
        var receipt = JsonDocument.Parse(done.Output).RootElement[0];
        Assert.True(receipt.GetProperty("complete").GetBoolean());
        Assert.Equal(
            (3, 1, 1, 2),
            (
                receipt.GetProperty("rows").GetInt32(),
                receipt.GetProperty("archives").GetInt32(),
                receipt.GetProperty("objects").GetInt32(),
                receipt.GetProperty("sessions").GetArrayLength()
            )
        );
        Assert.Equal((0, 2), (await archiver.LiveSessionsAsync(), (await archiver.Bucket.ListKeysAsync("chat_archives/2")).Count));
        Assert.Equal(
            "request 12",
            await archiver.Database.ScalarAsync<string>("SELECT DISTINCT reason FROM archiver.audit WHERE action = 'erase'")
        );
        Assert.DoesNotContain("forget-me", done.Error, StringComparison.Ordinal);

        Assert.Contains(
            "complete: nothing of it is left",
            (await archiver.RunAsync("erase", "--user", "forget-me", "--yes")).Output,
            StringComparison.Ordinal
        );
        var session = receipt.GetProperty("sessions")[0].GetProperty("session_id").GetString()!;
        Assert.Equal(1, (await archiver.RunAsync("restore", session)).ExitCode);
        Assert.Contains("was erased before", (await archiver.RunAsync("erase", session, "--yes")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_held_is_named_and_the_exit_code_says_that_it_is_not_done()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 0);
        var session = await archiver.Database.ScalarAsync<string>("SELECT min(session_id::text) FROM chat_sessions");
        await archiver.RunAsync("archive");
        await archiver.RunAsync("hold", "add", "--session", session!, "--reason", "case");

        var result = await archiver.RunAsync("erase", session!, "--yes");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains($"main: {session} held: under a legal hold", result.Output, StringComparison.Ordinal);
        Assert.Contains("NOT COMPLETE", result.Output, StringComparison.Ordinal);
        Assert.Equal(2, (await archiver.Bucket.ListKeysAsync("chat_archives/2")).Count);
        Assert.Equal(0, (await archiver.RunAsync("show", session!)).ExitCode);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_id_that_is_ones_key_and_anothers_external_id_costs_the_other_nothing(bool archived)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 0, young: 0);
        await archiver.Database.ExecuteAsync(
            """
            CREATE TABLE chat (id text PRIMARY KEY, ext text UNIQUE, updated_at timestamptz NOT NULL);
            CREATE INDEX ON chat (updated_at, id);
            INSERT INTO chat VALUES ('A', 'first', now() - interval '200 days'), ('B', 'A', now() - interval '200 days');
            """,
            Token
        );
        RestoredChat.Chat(archiver).With("Sources:main:Tables:Session:ExternalId", "ext");
        if (archived)
            Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);

        var erased = await archiver.RunAsync("erase", "A", "--yes", "--json");
        var again = await archiver.RunAsync("erase", "A", "--yes");
        var shown = await archiver.RunAsync("show", "B");
        var restored = await archiver.RunAsync("restore", "B");

        var sessions = JsonDocument.Parse(erased.Output).RootElement[0].GetProperty("sessions").EnumerateArray();
        Assert.Equal(["A"], sessions.Select(s => s.GetProperty("session_id").GetString()));
        Assert.Contains("was erased before", again.Output, StringComparison.Ordinal);
        Assert.Equal((archived, archived), (shown.ExitCode == 0, restored.ExitCode == 0));
        Assert.Equal("B\n", await archiver.Database.CopyOutAsync("SELECT id FROM chat"));
        // By its own name, or the one that nobody else has for a key, it goes.
        Assert.Equal(0, (await archiver.RunAsync("erase", "B", "--yes")).ExitCode);
        Assert.Equal("", await archiver.Database.CopyOutAsync("SELECT id FROM chat"));
    }

    [Theory]
    [InlineData("erase")]
    [InlineData("erase", "--user", "a", "b")]
    [InlineData("erase", "--reapply", "--user", "a")]
    public async Task Wants_to_know_what(params string[] arguments)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);

        var result = await archiver.RunAsync(arguments);

        Assert.Equal(2, result.ExitCode);
        Assert.Contains("one of the three", result.Error, StringComparison.Ordinal);
    }
}
