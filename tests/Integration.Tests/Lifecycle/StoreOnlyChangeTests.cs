using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Testing;
using static Archiver.Integration.Tests.Lifecycle.PolicyRuns;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>Delete: Nothing where tables were rewritten, triggers interfere, or sessions change meanwhile.</summary>
public sealed class StoreOnlyChangeTests(TestServers servers)
{
    private static readonly Policy Store = Archive() with { Delete = DeleteMode.Nothing };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>What a restored dump and pg_repack do: the same rows under other physical names.</summary>
    private const string Rewrite = """
        CREATE TEMP TABLE s AS TABLE chat_sessions; CREATE TEMP TABLE m AS TABLE chat_messages;
        TRUNCATE chat_sessions, chat_messages;
        INSERT INTO chat_sessions SELECT * FROM s ORDER BY session_id DESC; INSERT INTO chat_messages SELECT * FROM m ORDER BY id DESC;
        DROP TABLE s, m;
        """;

    [Theory]
    [InlineData(Rewrite)]
    [InlineData("VACUUM FULL chat_sessions; VACUUM FULL chat_messages")]
    public async Task Stores_nothing_again_of_tables_that_were_rewritten_and_finds_the_next_change(string rewrite)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 6, young: 1);
        var db = archiver.Database;
        await archiver.RunAsync(Store, Token);
        foreach (var statement in rewrite == Rewrite ? [rewrite] : rewrite.Split("; "))
            await db.ExecuteAsync(statement);

        var after = await archiver.RunAsync(Store, Token);

        Assert.Equal((null, 0L), (after.Error, after.Sessions));
        Assert.Equal(6, await db.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state = 'stored'"));
        Assert.Equal(6, (await archiver.Bucket.ListKeysAsync("chat_archives/2", Token)).Count);
        // A title and the flag that the mark has set: each is a change, whatever the table went through before.
        await archiver.ExecuteAsync(
            "UPDATE chat_sessions SET session_title = 'renamed' WHERE session_id = $1",
            await archiver.AnyIdleAsync(Token)
        );
        Assert.Equal(1, (await archiver.RunAsync(Store, Token)).Sessions);
        await db.ExecuteAsync(
            Rewrite.Replace(
                "FROM s ",
                "FROM (SELECT session_id, user_id, session_title, created_at, last_activity, "
                    + "ended_at, false AS archived, archive_location, metadata FROM s) s ",
                StringComparison.Ordinal
            )
        );
        Assert.Equal(6, (await archiver.RunAsync(Store, Token)).Sessions);
    }

    [Fact]
    public async Task Stores_again_what_is_not_in_its_object_although_the_tables_were_only_rewritten()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 1);
        await archiver.RunAsync(Store, Token);
        await archiver.Bucket.PutRawAsync((await archiver.Bucket.ListKeysAsync("chat_archives/2", Token))[0], [1], Token);
        await archiver.Database.ExecuteAsync(Rewrite);

        Assert.Equal(1, (await archiver.RunAsync(Store, Token)).Sessions);
        Assert.Equal(
            "1 superseded, 3 stored",
            await archiver.Database.ScalarAsync<string>(
                "SELECT count(*) FILTER (WHERE state = 'superseded') || ' superseded, ' || count(*) FILTER (WHERE state = 'stored') || ' "
                    + "stored' FROM archiver.archives"
            )
        );
    }

    [Fact]
    public async Task Takes_no_mark_back_where_that_would_change_another_session()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 1);
        var db = archiver.Database;
        await archiver.RunAsync(Store, Token);
        var session = await archiver.AnyIdleAsync(Token);
        await archiver.ExecuteAsync("UPDATE chat_messages SET content = 'edited' WHERE session_id = $1", session);
        await db.ExecuteAsync(
            """
            CREATE FUNCTION surprise() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE chat_sessions SET session_title = 'lost'
              WHERE last_activity > now() - interval '90 days'; RETURN NULL; END $$;
            CREATE TRIGGER surprise AFTER UPDATE ON chat_sessions FOR EACH ROW WHEN (OLD.archived) EXECUTE FUNCTION surprise();
            """
        );

        var summary = await archiver.RunAsync(Store, Token);

        Assert.Equal((RunOutcome.Partial, null, 1L), (summary.Outcome, summary.Error, summary.Failed));
        Assert.Equal(0, await db.ScalarAsync<long>("SELECT count(*) FROM chat_sessions WHERE session_title = 'lost'"));
        Assert.Equal(3, await db.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state = 'stored'"));
    }

    [Fact]
    public async Task Marks_a_status_although_a_trigger_touches_the_activity_and_gives_it_back()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 6, young: 2, preset: "status-expiry");
        var db = archiver.Database;
        await db.ExecuteAsync(
            """
            ALTER TABLE sessions DISABLE TRIGGER USER;
            UPDATE sessions SET status = CASE WHEN id = (SELECT min(id::text)::uuid FROM sessions) THEN 'expired' ELSE 'active' END;
            ALTER TABLE sessions ENABLE TRIGGER USER;
            CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at := clock_timestamp(); RETURN NEW; END $$;
            CREATE TRIGGER touch BEFORE UPDATE ON sessions FOR EACH ROW EXECUTE FUNCTION touch();
            """
        );
        var before = await db.CopyOutAsync("SELECT id, status FROM sessions ORDER BY 1");

        Assert.Equal(6, (await archiver.RunAsync(Store, Token)).Sessions);
        Assert.Equal(6, await db.ScalarAsync<long>("SELECT count(*) FROM sessions WHERE status = 'archived'"));
        Assert.Equal(0, (await archiver.RunAsync(Store, Token)).Sessions);
        Assert.Equal(0, await db.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state <> 'stored'"));

        await db.ExecuteAsync(
            "INSERT INTO messages (session_id, role, content) SELECT id, 'user', 'back again' FROM sessions WHERE status = 'archived'"
        );
        Assert.Equal(0, (await archiver.RunAsync(Store, Token)).Sessions);
        Assert.Equal(6, await db.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state = 'superseded'"));
        Assert.Equal(before, await db.CopyOutAsync("SELECT id, status FROM sessions ORDER BY 1"));
    }

    [Theory]
    [InlineData("DELETE FROM public.chat_messages WHERE session_id = NEW.session_id")]
    [InlineData("UPDATE public.chat_sessions SET session_title = 'lost' WHERE last_activity > now() - interval '90 days'")]
    public async Task Drops_a_session_that_changed_after_its_export_and_one_whose_mark_does_something_else(string sideEffect)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 6, young: 1, preset: "ended-at");
        var db = archiver.Database;
        var keys = (
            await db.CopyOutAsync("SELECT session_id::text FROM chat_sessions WHERE last_activity < now() - interval '90 days' ORDER BY 1")
        ).Split('\n');
        await db.ExecuteAsync(
            $"""
            CREATE FUNCTION surprise() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {sideEffect}; RETURN NEW; END $$;
            CREATE TRIGGER surprise BEFORE UPDATE
              ON chat_sessions FOR EACH ROW WHEN (OLD.session_id = '{keys[1]}') EXECUTE FUNCTION surprise();
            """
        );
        var messages = await db.ScalarAsync<long>("SELECT count(*) FROM chat_messages");
        archiver.Store = new HookedStore(archiver.Store)
        {
            BeforeFirstPut = () =>
                archiver.ExecuteAsync(
                    "UPDATE chat_messages SET content = 'edited' WHERE id = (SELECT min(id) FROM chat_messages WHERE session_id = $1)",
                    keys[0]
                ),
        };

        var summary = await archiver.RunAsync(Store, Token);

        Assert.Equal((RunOutcome.Partial, 1, 4L), (summary.Outcome, summary.ExitCode, summary.Sessions));
        Assert.Equal((1, 1), (summary.Reasons[DropReason.Changed], summary.Reasons[DropReason.SideEffects]));
        Assert.Equal(
            (messages, 0),
            (
                await db.ScalarAsync<long>("SELECT count(*) FROM chat_messages"),
                await db.ScalarAsync<long>("SELECT count(*) FROM chat_sessions WHERE session_title = 'lost'")
            )
        );
        Assert.Equal(4, await db.ScalarAsync<long>("SELECT count(*) FROM chat_sessions WHERE archived"));
    }
}
