using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>Live versions in the way of a restore: they are archived first, or nothing is done.</summary>
public sealed class RestoreReplaceVerbTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_replace_that_fails_leaves_the_live_rows_where_they_were()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 0);
        await archiver.RunAsync("archive");
        await archiver.RunAsync("restore", "--from", "2000-01-01");
        await archiver.Database.ExecuteAsync(
            "UPDATE chat_messages SET content = 'edited'; ALTER TABLE chat_messages ADD CONSTRAINT only_edited CHECK (content = 'edited')",
            Token
        );
        var rows = await archiver.RowsAsync();
        var ids = (await archiver.Database.CopyOutAsync("SELECT session_id FROM chat_sessions ORDER BY 1")).TrimEnd().Split('\n');

        var rehearsed = await archiver.RunAsync("restore", ids[0], "--on-conflict", "replace", "--dry-run");
        var result = await archiver.RunAsync("restore", ids[0], "--on-conflict", "replace");

        Assert.Equal((1, 1), (rehearsed.ExitCode, result.ExitCode));
        Assert.All([rehearsed, result], r =>
            Assert.Contains(
                "constraint 'only_edited' of public.chat_messages does not allow its rows; its live rows stay as they are",
                r.Output,
                StringComparison.Ordinal
            )
        );
        Assert.Equal(rows, await archiver.RowsAsync());

        await archiver.Database.ExecuteAsync("ALTER TABLE chat_messages DROP CONSTRAINT only_edited", Token);
        var second = await archiver.RunAsync("restore", ids[0], "--on-conflict", "replace");
        Assert.True(second.ExitCode == 0, second.Error + second.Output);
        Assert.Contains("1 session restored with 5 rows", second.Output, StringComparison.Ordinal);
        Assert.Equal(
            0,
            await archiver.Database.ScalarAsync<long>(
                $"SELECT count(*) FROM chat_messages WHERE session_id = '{ids[0]}' AND content = 'edited'"
            )
        );
        Assert.Equal(
            4,
            await archiver.Database.ScalarAsync<long>(
                $"SELECT count(*) FROM chat_messages WHERE session_id = '{ids[1]}' AND content = 'edited'"
            )
        );
    }

    [Fact]
    public async Task A_replace_that_a_trigger_would_change_leaves_the_live_rows_where_they_were()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        await archiver.RunAsync("archive");
        await archiver.RunAsync("restore", "--from", "2000-01-01");
        await archiver.Database.ExecuteAsync(
            "UPDATE chat_messages SET content = 'edited'; CREATE FUNCTION meddle() RETURNS trigger "
                + "LANGUAGE plpgsql AS $$ BEGIN NEW.content := upper(NEW.content); RETURN NEW; END $$; CREATE TRIGGER meddle BEFORE INSERT "
                + "ON chat_messages FOR EACH ROW EXECUTE FUNCTION meddle()",
            Token
        );
        var rows = await archiver.RowsAsync();
        var id = await archiver.Database.ScalarAsync<string>("SELECT session_id::text FROM chat_sessions");

        var rehearsed = await archiver.RunAsync("restore", id!, "--on-conflict", "replace", "--dry-run");
        var result = await archiver.RunAsync("restore", id!, "--on-conflict", "replace");

        Assert.Equal((1, 1), (rehearsed.ExitCode, result.ExitCode));
        Assert.All([rehearsed, result], r =>
            Assert.Contains("trigger 'meddle' on public.chat_messages changed the rows", r.Output, StringComparison.Ordinal)
        );
        Assert.Equal(rows, await archiver.RowsAsync());
    }

    /// <summary>What keeps the live rows keeps them in the rehearsal too, which leaves everything as it was.</summary>
    [Theory]
    [InlineData(
        "INSERT INTO archiver.holds (source, user_id, reason, created_by) SELECT DISTINCT 'main', user_id, 'case 7', 'test' FROM "
            + "chat_sessions WHERE user_id IS NOT NULL"
    )]
    [InlineData(
        "CREATE FUNCTION stay() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'stay' USING ERRCODE = 'AP001'; END $$; CREATE "
            + "TRIGGER stay BEFORE DELETE ON chat_messages FOR EACH ROW EXECUTE FUNCTION stay()"
    )]
    public async Task A_replace_whose_live_rows_may_not_go_is_refused_by_its_rehearsal(string change)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        await archiver.Database.ExecuteAsync("UPDATE chat_sessions SET user_id = 'ann'");
        await archiver.RunAsync("archive");
        await archiver.RunAsync("restore", "--from", "2000-01-01");
        await archiver.Database.ExecuteAsync($"UPDATE chat_messages SET content = 'edited'; {change}", Token);
        var rows = await archiver.RowsAsync();
        var id = await archiver.Database.ScalarAsync<string>("SELECT session_id::text FROM chat_sessions");

        var rehearsed = await archiver.RunAsync("restore", id!, "--on-conflict", "replace", "--dry-run");
        var result = await archiver.RunAsync("restore", id!, "--on-conflict", "replace");

        Assert.True((rehearsed.ExitCode, result.ExitCode) == (1, 1), rehearsed.Output + result.Output);
        Assert.Contains("its live rows stay as they are", rehearsed.Output, StringComparison.Ordinal);
        Assert.Equal(rows, await archiver.RowsAsync());
    }
}
