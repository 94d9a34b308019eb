using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Archiving;

/// <summary>Deletes that would change more than the rows that were archived (docs/protocol.md rules 11 and 12).</summary>
public sealed class SideEffectTests(TestServers servers)
{
    private const int Idle = 6;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("DELETE FROM notes WHERE session_id = OLD.session_id", "TRIGGER tidy AFTER DELETE ON chat_messages")]
    [InlineData("UPDATE notes SET note = 'orphan' WHERE session_id = OLD.session_id", "TRIGGER tidy AFTER DELETE ON chat_messages")]
    // It would fire at the commit, after everything was counted.
    [InlineData(
        "DELETE FROM notes WHERE session_id = OLD.session_id",
        "CONSTRAINT TRIGGER tidy AFTER DELETE ON chat_messages DEFERRABLE INITIALLY DEFERRED"
    )]
    public async Task Leaves_a_session_whose_delete_changes_rows_that_were_not_archived(string sideEffect, string trigger)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1);
        var session = await archiver.AnyIdleAsync(Token);
        await archiver.ExecuteAsync(
            $"""
            CREATE TABLE notes (session_id uuid, note text);
            CREATE FUNCTION tidy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {sideEffect.Replace(
                "notes",
                "public.notes",
                StringComparison.Ordinal
            )}; RETURN NULL; END $$;
            CREATE {trigger} FOR EACH ROW EXECUTE FUNCTION tidy();
            INSERT INTO notes VALUES ('{session}', 'precious');
            """,
            null
        );

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Partial, Idle - 1L, 1L), (summary.Outcome, summary.Sessions, summary.Failed));
        Assert.Equal(1, summary.Reasons[DropReason.SideEffects]);
        Assert.Equal("precious", await archiver.Database.ScalarAsync<string>("SELECT note FROM notes"));
    }

    [Theory]
    [InlineData("AFTER", "chat_messages")]
    [InlineData("BEFORE", "chat_messages")]
    [InlineData("AFTER", "chat_sessions")]
    [InlineData("BEFORE", "chat_sessions")]
    public async Task Leaves_a_session_whose_delete_changes_another_session(string time, string table)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1);
        var session = await archiver.AnyIdleAsync(Token);
        const string young = "SELECT session_title FROM chat_sessions WHERE last_activity > now() - interval '90 days'";
        await archiver.ExecuteAsync(
            $"""
            UPDATE chat_sessions SET session_title = 'precious';
            CREATE FUNCTION tidy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              UPDATE public.chat_sessions SET session_title = 'lost' WHERE last_activity > now() - interval '90 days'
                AND OLD.session_id = '{session}'; RETURN OLD; END $$;
            CREATE TRIGGER tidy {time} DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION tidy();
            """,
            null
        );

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Partial, Idle - 1L, 1L), (summary.Outcome, summary.Sessions, summary.Failed));
        Assert.Equal(1, summary.Reasons[DropReason.SideEffects]);
        Assert.Equal("precious", await archiver.Database.ScalarAsync<string>(young));
    }

    // The usual counter. It names its table without a schema, as applications do.
    [Theory]
    [InlineData("AFTER")]
    [InlineData("BEFORE")]
    public async Task Archives_although_a_trigger_counts_the_messages_of_their_session(string time)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1);
        await archiver.ExecuteAsync(
            $"""
            ALTER TABLE chat_sessions ADD COLUMN IF NOT EXISTS message_count int NOT NULL DEFAULT 0;
            CREATE FUNCTION uncount() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              UPDATE chat_sessions SET message_count = message_count - 1 WHERE session_id = OLD.session_id; RETURN OLD; END $$;
            CREATE TRIGGER uncount {time} DELETE ON chat_messages FOR EACH ROW EXECUTE FUNCTION uncount();
            """,
            null
        );

        var summary = await archiver.RunAsync(Token);

        Assert.Null(summary.Error);
        Assert.Equal((RunOutcome.Done, (long)Idle), (summary.Outcome, summary.Sessions));
    }

    [Fact]
    public async Task Ends_a_run_in_which_nothing_but_failures_comes()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 130, young: 1, messages: 1, configure: s =>
            s with
            {
                Batch = s.Batch with { Sessions = 10 },
            }
        );
        await archiver.ExecuteAsync(
            """
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'none' USING ERRCODE = 'XA001'; END $$;
            CREATE TRIGGER refuse BEFORE DELETE ON chat_messages FOR EACH ROW EXECUTE FUNCTION refuse();
            """,
            null
        );

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Failed, 0L), (summary.Outcome, summary.Sessions));
        Assert.Contains("delete refused (XA001)", summary.Error, StringComparison.Ordinal);
        // What was tried waits; the next run begins with others.
        Assert.InRange(await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.quarantine"), 100, 129);
    }

    [Fact]
    public async Task Leaves_a_session_when_a_trigger_keeps_one_of_its_rows()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1);
        var session = await archiver.AnyIdleAsync(Token);
        await archiver.ExecuteAsync(
            $"""
            CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              IF OLD.session_id = '{session}' THEN RETURN NULL; END IF; RETURN OLD; END $$;
            CREATE TRIGGER keep BEFORE DELETE ON chat_messages FOR EACH ROW EXECUTE FUNCTION keep();
            """,
            null
        );

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((Idle - 1L, 1L), (summary.Sessions, summary.Skipped));
        Assert.Equal(1, summary.Reasons[DropReason.Changed]);
        Assert.Equal(
            1,
            await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions WHERE last_activity < now() - interval '90 days'")
        );
    }
}
