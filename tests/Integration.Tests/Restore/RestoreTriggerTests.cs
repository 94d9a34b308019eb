using Archiver.Core.Diagnostics;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Restore;

/// <summary>Triggers while a restore inserts.</summary>
public sealed class RestoreTriggerTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(
        "chat_messages",
        "NEW.content := upper(NEW.content); RETURN NEW",
        "trigger 'meddle' on public.chat_messages changed the rows of public.chat_messages (column 'content')"
    )]
    [InlineData(
        "chat_messages",
        "UPDATE chat_sessions SET last_activity = now() WHERE session_id = NEW.session_id; RETURN NEW",
        "trigger 'meddle' on public.chat_messages changed the rows of public.chat_sessions (column 'last_activity')"
    )]
    [InlineData("chat_messages", "RETURN NULL", "trigger 'meddle' on public.chat_messages changed the rows of public.chat_messages")]
    public async Task A_trigger_that_changes_a_restored_row_is_named_and_nothing_is_written(string table, string body, string reason)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0);
        var before = await archiver.Database.CopyTablesAsync(archiver);
        await archiver.RunAsync(Token);
        await archiver.Database.ExecuteAsync(
            $"""
            CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; END $$;
            CREATE TRIGGER meddle BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION meddle();
            """
        );

        var refused = await archiver.RestoreAsync(RestoreFixture.Everything, Token);
        var rowsThen = await archiver.Database.ScalarAsync<long>(
            "SELECT (SELECT count(*) FROM chat_sessions) + (SELECT count(*) FROM chat_messages)"
        );
        var report = await archiver.RestoreAsync(RestoreFixture.Everything with { DisableTriggers = true }, Token);

        Assert.Equal((0L, 3, 0L), (refused.Restored, refused.Refused.Count, rowsThen));
        Assert.All(refused.Refused, r => Assert.StartsWith(reason, r.Reason, StringComparison.Ordinal));
        Assert.Equal((RunOutcome.Done, null, 3L), (report.Outcome, report.Error, report.Restored));
        Assert.Equal(before, await archiver.Database.CopyTablesAsync(archiver));
    }

    [Fact]
    public async Task A_trigger_that_only_looks_on_fires_and_finds_its_tables()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0);
        await archiver.RunAsync(Token);
        await archiver.Database.ExecuteAsync(
            """
            CREATE TABLE seen (id bigint);
            CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO seen VALUES (NEW.id); RETURN NEW; END $$;
            CREATE TRIGGER look AFTER INSERT ON chat_messages FOR EACH ROW EXECUTE FUNCTION look();
            """
        );

        var report = await archiver.RestoreAsync(RestoreFixture.Everything, Token);

        Assert.Equal((RunOutcome.Done, 3L), (report.Outcome, report.Restored));
        Assert.Equal(12, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM seen"));
    }

    [Fact]
    public async Task Without_triggers_a_row_that_refers_to_nothing_is_still_refused()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0);
        await archiver.Database.ExecuteAsync(
            """
            CREATE TABLE users (id text PRIMARY KEY);
            UPDATE chat_sessions SET user_id = 'u' || (row_number % 2)
              FROM (SELECT session_id AS s, row_number() OVER (ORDER BY session_id) FROM chat_sessions) r WHERE session_id = r.s;
            INSERT INTO users SELECT DISTINCT user_id FROM chat_sessions;
            ALTER TABLE chat_sessions ADD CONSTRAINT known_user FOREIGN KEY (user_id) REFERENCES users;
            """
        );
        await archiver.RunAsync(Token);
        await archiver.Database.ExecuteAsync("DELETE FROM users WHERE id = 'u0'");

        var report = await archiver.RestoreAsync(RestoreFixture.Everything with { DisableTriggers = true }, Token);

        Assert.Equal((RunOutcome.Partial, 2L), (report.Outcome, report.Restored));
        Assert.Equal(
            "it refers to a row that is not there (constraint 'known_user' of public.chat_sessions)",
            Assert.Single(report.Refused).Reason
        );
    }
}
