using System.Text.Json;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>Sessions that fail block no others: quarantine, forgiveness, halves.</summary>
public sealed class PoisonSessionTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_poison_session_among_a_thousand_is_quarantined_and_blocks_nothing()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1000, young: 0, messages: 2);
        var poison = await archiver.Database.ScalarAsync<string>(
            "SELECT session_id::text FROM chat_messages ORDER BY md5(id::text) LIMIT 1"
        );
        await archiver.Database.ExecuteAsync(
            $"""
            CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF OLD.session_id = '{poison}'
              THEN RAISE 'no'; END IF; RETURN OLD; END $$;
            CREATE TRIGGER poison BEFORE DELETE ON chat_messages FOR EACH ROW EXECUTE FUNCTION poison();
            """
        );

        var first = await archiver.With("Retry:MaxAttempts", "2").RunAsync("archive");
        Assert.Equal(1, first.ExitCode);
        Assert.Contains("main/idle: done in part, 999 sessions archived", first.Output, StringComparison.Ordinal);
        var failed = await QuarantineAsync(archiver);
        Assert.Equal(
            (poison, 1, false),
            (
                failed.GetProperty("session_id").GetString(),
                failed.GetProperty("attempts").GetInt32(),
                failed.GetProperty("quarantined").GetBoolean()
            )
        );
        Assert.Contains("delete refused (P0001)", failed.GetProperty("reason").GetString(), StringComparison.Ordinal);

        // Not tried again at once; then once more, and then set aside.
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        await archiver.Database.ExecuteAsync("UPDATE archiver.quarantine SET next_attempt_at = now()");
        Assert.Equal(1, (await archiver.RunAsync("archive")).ExitCode);
        failed = await QuarantineAsync(archiver);
        Assert.Equal((2, true), (failed.GetProperty("attempts").GetInt32(), failed.GetProperty("quarantined").GetBoolean()));
        Assert.Contains("quarantined", (await archiver.RunAsync("explain", poison!)).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);

        await archiver.Database.ExecuteAsync("DROP TRIGGER poison ON chat_messages");
        Assert.Equal(0, (await archiver.RunAsync("quarantine", "retry", poison!)).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        Assert.Equal(0, await archiver.LiveSessionsAsync());
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.quarantine"));
    }

    [Fact]
    public async Task A_session_that_is_archived_at_last_is_forgiven_its_failures()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 5, young: 0);
        await archiver.RunAsync("migrate");
        await archiver.Database.ExecuteAsync(
            """
            INSERT INTO archiver.quarantine (source, session_id, reason, attempts, next_attempt_at, run_id)
            SELECT 'main', session_id::text, 'delete refused (P0001)', 3, now() - interval '1 minute', gen_random_uuid() FROM chat_sessions
              LIMIT 1
            """
        );

        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);

        Assert.Equal(0, await archiver.LiveSessionsAsync());
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.quarantine"));
    }

    [Fact]
    public async Task A_batch_too_big_for_its_timeout_is_halved_and_goes_on()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 32, young: 0, messages: 4);
        // 128 rows at 20 ms are 2.6 s, more than the timeout; 8 sessions are not.
        await archiver.Database.ExecuteAsync(
            """
            CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.02); RETURN OLD; END $$;
            CREATE TRIGGER slow BEFORE DELETE ON chat_messages FOR EACH ROW EXECUTE FUNCTION slow();
            """
        );

        var result = await archiver.With("Batch:StatementTimeout", "1s").RunAsync("archive");

        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Equal(0, await archiver.LiveSessionsAsync());
        Assert.Equal(32, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state = 'archived'"));
    }

    private static async Task<JsonElement> QuarantineAsync(Installation archiver) =>
        Assert.Single(JsonDocument.Parse((await archiver.RunAsync("quarantine", "list", "--json")).Output).RootElement.EnumerateArray());
}
