using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>What the library's tests hold of guards and rewritten tables, through the command line.</summary>
public sealed class EdgeVerbTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("archive", "Archive")]
    [InlineData("purge", "Purge")]
    public async Task A_session_whose_delete_changes_another_session_stays(string verb, string action)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 1);
        await archiver.Database.ExecuteAsync(
            """
            CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              UPDATE public.chat_sessions SET session_title = 'touched'
                WHERE last_activity > now() - interval '30 days';
              RETURN NULL; END $$;
            CREATE TRIGGER touch AFTER DELETE ON chat_sessions FOR EACH ROW
              WHEN (OLD.user_id = 'trigger') EXECUTE FUNCTION touch();
            UPDATE chat_sessions SET user_id = 'trigger'
              WHERE session_id = (SELECT min(session_id::text)::uuid FROM chat_sessions WHERE last_activity < now() - interval '90 days');
            """,
            Token
        );
        archiver.With("Sources:main:Policies:idle:Action", action);

        await archiver.RunAsync(verb);

        Assert.Equal(2, await archiver.LiveSessionsAsync());
        Assert.Equal(
            (1L, 0L),
            (
                await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions WHERE user_id = 'trigger'", Token),
                await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions WHERE session_title = 'touched'", Token)
            )
        );
    }

    [Fact]
    public async Task A_hold_by_range_covers_a_session_that_has_a_message_in_it()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 0);
        await archiver.Database.ExecuteAsync(
            "UPDATE chat_messages SET timestamp = '2001-02-03' WHERE id = (SELECT min(id) FROM chat_messages)",
            Token
        );
        Assert.Equal(
            0,
            (await archiver.RunAsync("hold", "add", "--from", "2001-02-01", "--to", "2001-03-01", "--reason", "court")).ExitCode
        );

        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);

        Assert.Equal(1, await archiver.LiveSessionsAsync());
    }

    [Fact]
    public async Task A_table_that_was_only_rewritten_is_not_stored_again()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 0);
        archiver.With("Sources:main:Policies:idle:Delete", "Nothing");
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        var stored = await archiver.Bucket.ListKeysAsync("");
        foreach (var table in new[] { "chat_sessions", "chat_messages" })
            await archiver.Database.ExecuteAsync($"VACUUM FULL {table}", Token);

        var again = await archiver.RunAsync("archive");

        Assert.True(again.ExitCode == 0, again.Error);
        Assert.Contains("no session stored", again.Output, StringComparison.Ordinal);
        Assert.Equal(stored, await archiver.Bucket.ListKeysAsync(""));
        Assert.Equal(3, await archiver.LiveSessionsAsync());
    }
}
