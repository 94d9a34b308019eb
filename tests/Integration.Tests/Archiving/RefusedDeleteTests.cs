using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Integration.Tests.Archiving;

/// <summary>Deletes that the server, a trigger or the ledger refuses: one session stays, the others go.</summary>
public sealed class RefusedDeleteTests(TestServers servers)
{
    private const int Idle = 6;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // Codes that the archiver takes for passing faults, for timeouts, for locks, for the run's own rights, and one of the application's
    // own.
    [Theory]
    [InlineData("XA001")]
    [InlineData("42501")]
    [InlineData("40001")]
    [InlineData("53100")]
    [InlineData("57014")]
    [InlineData("57P01")]
    [InlineData("55P03")]
    [InlineData("28000")]
    [InlineData("23503")]
    public async Task Leaves_one_session_that_a_trigger_refuses_under_any_code_and_repeats_no_word_of_it(string code)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1);
        var session = await archiver.AnyIdleAsync(Token);
        await archiver.ExecuteAsync(
            $"""
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              IF OLD.session_id = '{session}' THEN RAISE EXCEPTION 'the message said: my secret'
                USING ERRCODE = '{code}', TABLE = 'my secret'; END IF; RETURN OLD; END $$;
            CREATE TRIGGER refuse BEFORE DELETE ON chat_messages FOR EACH ROW EXECUTE FUNCTION refuse();
            """,
            null
        );

        var summary = await archiver.RunAsync(Token);

        Assert.Null(summary.Error);
        Assert.Equal((Idle - 1L, 1L), (summary.Sessions, summary.Failed + summary.Skipped));
        Assert.DoesNotContain(archiver.Events.Messages, m => m.Contains("my secret", StringComparison.Ordinal));
        Assert.Equal(
            0,
            await archiver.Database.ScalarAsync<long>(
                "SELECT (SELECT count(*) FROM archiver.runs r WHERE r::text LIKE '%my secret%') + (SELECT count(*) FROM archiver.archives "
                    + "a WHERE a::text LIKE '%my secret%') + (SELECT count(*) FROM archiver.quarantine q WHERE q::text LIKE '%my secret%')"
            )
        );
    }

    // The server is well: it is this session's trigger that ends the connection, each time.
    [Fact]
    public async Task Leaves_one_session_whose_trigger_ends_the_connection()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1);
        var session = await archiver.AnyIdleAsync(Token);
        await archiver.ExecuteAsync(
            $"""
            CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              IF OLD.session_id = '{session}' THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN OLD; END $$;
            CREATE TRIGGER cut BEFORE DELETE ON chat_messages FOR EACH ROW EXECUTE FUNCTION cut();
            """,
            null
        );

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Partial, null, Idle - 1L, 1L), (summary.Outcome, summary.Error, summary.Sessions, summary.Failed));
        Assert.Equal(1, summary.Reasons[$"{DropReason.NotDeleted} (57P01)"]);
    }

    // As a function of dblink does whose own server is away.
    [Fact]
    public async Task Leaves_one_session_whose_trigger_cannot_reach_its_own_server()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1);
        var session = await archiver.AnyIdleAsync(Token);
        await archiver.ExecuteAsync(
            $"""
            CREATE EXTENSION dblink;
            CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              IF OLD.session_id = '{session}'
                THEN PERFORM public.dblink_exec('host=127.0.0.1 port=1', 'SELECT 1'); END IF; RETURN OLD; END $$;
            CREATE TRIGGER tell BEFORE DELETE ON chat_messages FOR EACH ROW EXECUTE FUNCTION tell();
            """,
            null
        );

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Partial, null, Idle - 1L, 1L), (summary.Outcome, summary.Error, summary.Sessions, summary.Failed));
        Assert.Equal(1, summary.Reasons[$"{DropReason.NotDeleted} (08001)"]);
    }

    [Fact]
    public async Task Leaves_one_session_whose_record_the_ledger_refuses()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1);
        var session = await archiver.AnyIdleAsync(Token);
        InProcessFault.Once(FaultPoints.Verified, () =>
            archiver.ExecuteAsync($"ALTER TABLE archiver.archives ADD CHECK (session_id <> '{session}')", null)
        );

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Partial, Idle - 1L, 1L), (summary.Outcome, summary.Sessions, summary.Failed));
        Assert.Equal(1, await archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM chat_sessions WHERE session_id = '{session}'"));
    }

    [Fact]
    public async Task Leaves_a_session_whose_delete_a_trigger_refuses()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1);
        var session = await archiver.AnyIdleAsync(Token);
        await archiver.ExecuteAsync(
            $"""
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              IF OLD.session_id = '{session}' THEN RAISE EXCEPTION 'not this one'; END IF; RETURN OLD; END $$;
            CREATE TRIGGER refuse BEFORE DELETE ON chat_messages FOR EACH ROW EXECUTE FUNCTION refuse();
            """,
            null
        );

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Partial, Idle - 1L, 1L), (summary.Outcome, summary.Sessions, summary.Failed));
        Assert.Equal(1, summary.Reasons[$"{DropReason.NotDeleted} (P0001)"]);
    }
}
