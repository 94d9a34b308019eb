using System.Text.Json;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>Each application schema with the policies it was made for, through the executable, on generated data.</summary>
public sealed class NaturalPoliciesTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Ended_at_archives_what_was_idle_for_90_days_and_keeps_its_title_listed()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 30, young: 10);
        archiver.With("Sources:main:Keep:0", "session_title");
        var titles = await archiver.Database.CopyOutAsync(
            "SELECT session_id::text, session_title FROM chat_sessions WHERE last_activity < now() - interval '90 days' ORDER BY 1"
        );

        var result = await archiver.RunAsync("archive");

        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Contains("main/idle: done, 30 sessions archived with 150 rows", result.Output, StringComparison.Ordinal);
        Assert.Equal(10, await archiver.LiveSessionsAsync());
        Assert.Equal(
            titles,
            await archiver.Database.CopyOutAsync(
                "SELECT session_id, keep->>'session_title' FROM archiver.archived_sessions WHERE source = 'main' ORDER BY 1"
            )
        );
    }

    [Fact]
    public async Task Last_accessed_previews_what_was_inactive_for_60_minutes_and_archives_after_7_days()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 20, young: 20, preset: "last-accessed");
        archiver.With("Sources:main:Policies:idle:IdleFor", "7d");
        var idle = await archiver.Database.ScalarAsync<long>(
            "SELECT count(*) FROM sessions WHERE last_accessed < now() - interval '7 days'"
        );
        await archiver.RunAsync("migrate");

        var preview = await archiver.RunAsync("plan", "--json", "--sessions", "100", "--Archiver:Sources:main:Policies:idle:IdleFor=60m");
        var result = await archiver.RunAsync("archive", "--json");

        var plan = Assert.Single(JsonDocument.Parse(preview.Output).RootElement.EnumerateArray());
        Assert.All(plan.GetProperty("sessions").EnumerateArray(), s => Assert.True(s.GetProperty("inactive_for").GetDouble() > 3600));
        Assert.True(plan.GetProperty("eligible").GetInt64() > idle);
        var summary = Assert.Single(JsonDocument.Parse(result.Output).RootElement.EnumerateArray());
        Assert.Equal(("archive", idle), (summary.GetProperty("action").GetString(), summary.GetProperty("sessions").GetInt64()));
        Assert.Equal(40 - idle, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM sessions"));
    }

    [Fact]
    public async Task Status_expiry_expires_and_then_archives_by_status_in_one_triggered_run()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 30, young: 10, preset: "status-expiry");
        archiver
            .With("Sources:main:Policies:idle:IdleFor", null)
            .With("Sources:main:Policies:idle:ExpiredFor", "0s")
            .With("Sources:main:Policies:idle:Status:0", "expired")
            .With("Sources:main:Policies:idle:Order", "2")
            .With("Sources:main:Policies:overdue:Action", "Expire")
            .With("Sources:main:Policies:overdue:ExpiredFor", "0s")
            .With("Sources:main:Policies:overdue:Order", "1");
        var overdue = await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM sessions WHERE expires_at < now()");

        await using var process = archiver.Start(new Dictionary<string, string?> { ["ARCHIVER_TRIGGER"] = "all" }, "run");
        var result = await process.WaitForExitAsync(Token);

        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Equal(
            "expire overdue, archive idle",
            await archiver.Database.ScalarAsync<string>(
                "SELECT string_agg(action || ' ' || policy, ', ' ORDER BY started_at) FROM archiver.runs WHERE state = 'done'"
            )
        );
        Assert.InRange(overdue, 1, 39);
        Assert.Equal(40 - overdue, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM sessions"));
        Assert.Equal(overdue, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archived_sessions"));
        // The two policies' conditions exclude each other.
        Assert.DoesNotContain("\"@i\":1031", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Soft_delete_purges_sessions_and_then_messages_that_were_deleted_90_days_ago()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 100, young: 20, preset: "soft-delete");
        archiver
            .With("Sources:main:Policies:idle:Action", "Purge")
            .With("Sources:main:Policies:idle:IdleFor", null)
            .With("Sources:main:Policies:idle:DeletedFor", "90d")
            .With("Sources:main:Policies:rows:Action", "Purge")
            .With("Sources:main:Policies:rows:DeletedFor", "90d")
            .With("Sources:main:Policies:rows:Scope", "Messages")
            .With("Sources:main:Policies:rows:Order", "1");
        await archiver.Database.ExecuteAsync(
            "UPDATE chat_messages SET deleted_at = now() - interval '95 days' WHERE left(id::text, 1) = '0'"
        );
        const string due = "deleted_at < now() - interval '90 days'";
        var sessions = await archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM chat_sessions WHERE {due}");
        var ofSessions = await archiver.Database.ScalarAsync<long>(
            $"SELECT count(*) FROM chat_messages m JOIN chat_sessions s ON s.id = m.session_id WHERE s.{due}"
        );
        var (messages, of) = (
            await archiver.Database.ScalarAsync<long>(
                $"SELECT count(*) FROM chat_messages m JOIN chat_sessions s ON s.id = m.session_id WHERE m.{due} AND s.deleted_at IS NULL"
            ),
            await archiver.Database.ScalarAsync<long>(
                "SELECT count(DISTINCT s.id) FROM chat_messages m JOIN chat_sessions s ON s.id = "
                    + $"m.session_id WHERE m.{due} AND s.deleted_at IS NULL"
            )
        );

        var result = await archiver.RunAsync("purge");

        Assert.True(result.ExitCode == 0, result.Error);
        Assert.InRange(sessions, 1, 119);
        Assert.Contains(
            $"main/idle: done, {sessions + ofSessions} rows of {sessions} sessions purged",
            result.Output,
            StringComparison.Ordinal
        );
        Assert.Contains($"main/rows: done, {messages} rows of {of} sessions purged", result.Output, StringComparison.Ordinal);
        Assert.Equal(
            $"{120 - sessions} 0",
            await archiver.Database.ScalarAsync<string>(
                "SELECT concat_ws(' ', (SELECT count(*) FROM chat_sessions), (SELECT count(*) FROM chat_messages m JOIN chat_sessions s ON "
                    + $"s.id = m.session_id WHERE m.{due} AND s.deleted_at IS NULL))"
            )
        );
        Assert.Equal(2, (await archiver.RunAsync("archive", "--policy", "rows")).ExitCode);
        Assert.Equal(2, (await archiver.RunAsync("expire")).ExitCode);
        Assert.Contains(
            "main/idle: done, nothing purged",
            (await archiver.RunAsync("purge", "-p", "idle")).Output,
            StringComparison.Ordinal
        );
    }
}
