using System.Text.Json;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>Trip wire, pause, quarantine and explain: what keeps a run from doing harm, and how a person steers it.</summary>
public sealed class SafetyTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_trip_wire_stops_a_run_until_a_person_accepts_the_policy()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 600, young: 500, messages: 1);
        archiver.With("Safety:MaxShare", "0.25");

        var stopped = await archiver.RunAsync("archive");
        Assert.Equal(3, stopped.ExitCode);
        Assert.Contains("archiver accept main/idle", stopped.Error, StringComparison.Ordinal);
        Assert.Equal(1100, await archiver.LiveSessionsAsync());
        Assert.Equal("refused", await archiver.Database.ScalarAsync<string>("SELECT state FROM archiver.runs"));

        // Up to the share it may go without being accepted.
        Assert.Equal(0, (await archiver.RunAsync("archive", "--max-sessions", "20")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("accept", "main/idle")).ExitCode);
        // A shorter age takes more than was accepted; a longer one takes less.
        Assert.Equal(3, (await archiver.With("Sources:main:Policies:idle:IdleFor", "80d").RunAsync("archive")).ExitCode);
        Assert.Equal(
            3,
            (
                await archiver
                    .With("Sources:main:Policies:idle:IdleFor", "91d")
                    .With("Sources:main:Policies:idle:Where", "true")
                    .RunAsync("archive")
            ).ExitCode
        );
        Assert.Equal(
            0,
            (await archiver.With("Sources:main:Policies:idle:Where", null).RunAsync("archive", "--max-sessions", "400")).ExitCode
        );
        Assert.Equal(680, await archiver.LiveSessionsAsync());
        Assert.Equal("accept", await archiver.Database.ScalarAsync<string>("SELECT action FROM archiver.audit"));
    }

    [Fact]
    public async Task Pause_stops_runs_until_resumed()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 5, young: 0);

        Assert.Equal(0, (await archiver.RunAsync("pause", "main/idle")).ExitCode);
        var paused = await archiver.RunAsync("archive");
        Assert.Equal(0, paused.ExitCode);
        Assert.Contains("main/idle: not run: paused", paused.Output, StringComparison.Ordinal);
        Assert.Equal(5, await archiver.LiveSessionsAsync());

        await archiver.RunAsync("pause");
        Assert.Contains("still paused", (await archiver.RunAsync("resume", "main/idle")).Error, StringComparison.Ordinal);
        await archiver.RunAsync("resume");
        await archiver.RunAsync("archive");
        Assert.Equal(0, await archiver.LiveSessionsAsync());
        Assert.Equal(
            $"{Environment.UserName}@{Environment.MachineName} pause main/idle, pause main/, resume main/idle, resume main/",
            await archiver.Database.ScalarAsync<string>(
                "SELECT who || ' ' || string_agg(action || ' ' || source || '/' || "
                    + "coalesce(policy, ''), ', ' ORDER BY id) FROM archiver.audit GROUP BY who"
            )
        );
    }

    [Fact]
    public async Task Pause_stops_a_run_that_is_going_on_between_two_batches()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 300, young: 0);
        archiver.With("Batch:Sessions", "5").With("Batch:Pause", "1s");
        await using var process = archiver.Start("archive");
        await process.WaitForTextAsync("\"@i\":1002", Token);

        await archiver.RunAsync("pause", "main");
        var result = await process.WaitForExitAsync(Token);

        Assert.Equal(0, result.ExitCode);
        Assert.InRange(await archiver.LiveSessionsAsync(), 1, 295);
        Assert.Contains("\"@i\":1015", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_names_the_conditions_that_keep_a_session_out()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 0);
        await archiver.RunAsync("migrate");
        var id = await archiver.Database.ScalarAsync<string>("SELECT session_id::text FROM chat_sessions LIMIT 1");
        Assert.Matches(
            @"^main/idle: the next run takes it\n  last_activity 20\d\d-[-0-9:. ]+\+00, before 20\d\d-[-0-9: ]+Z\n  messages.timestamp 20",
            (await archiver.RunAsync("explain", id!)).Output
        );

        await archiver.Database.ExecuteAsync(
            $"UPDATE chat_messages SET timestamp = now() WHERE id = (SELECT max(id) FROM chat_messages WHERE session_id = '{id}')"
        );
        var kept = await archiver.RunAsync("explain", id!);
        Assert.Matches(
            @"^main/idle: stays\n  too young: messages.timestamp 20\d\d-[-0-9:. ]+\+00, not before 20\d\d-[-0-9: ]+Z\n$",
            kept.Output
        );

        var json = JsonDocument.Parse((await archiver.RunAsync("explain", id!, "--json")).Output).RootElement[0];
        Assert.False(json.GetProperty("eligible").GetBoolean());
        Assert.Single(json.GetProperty("conditions").EnumerateArray(), c => !c.GetProperty("met").GetBoolean());

        await archiver.RunAsync("archive");
        var gone = await archiver.Database.ScalarAsync<string>("SELECT session_id FROM archiver.archives");
        Assert.Contains("generation 1 of it as archived", (await archiver.RunAsync("explain", gone!)).Error, StringComparison.Ordinal);
        Assert.Equal(2, (await archiver.RunAsync("explain", "no-such-session")).ExitCode);
    }

    [Fact]
    public async Task Logs_and_outputs_of_a_run_hold_neither_message_text_nor_secrets()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 40, young: 5, messages: 6);
        await archiver.Database.ExecuteAsync("UPDATE chat_messages SET content = 'canary-' || content");
        // One session fails with an error of the server that quotes the text: its log line is the tempting one.
        var poison = await archiver.Database.ScalarAsync<long>(
            "SELECT min(id) FROM chat_messages WHERE timestamp < now() - interval '90 days'"
        );
        await archiver.Database.ExecuteAsync(
            $"""
            CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN IF OLD.id = {poison} THEN RAISE 'refused: %', OLD.content; END IF; RETURN OLD; END $$;
            CREATE TRIGGER poison BEFORE DELETE ON chat_messages FOR EACH ROW EXECUTE FUNCTION poison();
            """
        );
        await using var role = await TestRole.CreateAsync(archiver.Database, "ALTER ROLE {0} SUPERUSER");
        archiver.With("Sources:main:ConnectionString", role.ConnectionString).With("Retry:MaxAttempts", "1");

        var run = await archiver.RunAsync("archive", "--Serilog:MinimumLevel:Default=Verbose");
        var list = await archiver.RunAsync("quarantine", "list");

        Assert.Equal(1, run.ExitCode);
        var said = run.Output + run.Error + list.Output + list.Error;
        Assert.Contains("Batch of run", said, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", said, StringComparison.Ordinal);
        Assert.DoesNotContain(servers.S3SecretKey, said, StringComparison.Ordinal);
        Assert.DoesNotContain(role.Password, said, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(
            "canary",
            await archiver.Database.CopyOutAsync("SELECT * FROM archiver.quarantine")
                + await archiver.Database.CopyOutAsync("SELECT * FROM archiver.runs"),
            StringComparison.Ordinal
        );
    }
}
