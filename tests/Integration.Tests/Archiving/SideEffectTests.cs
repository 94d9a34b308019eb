using Archiver.Core.Ledger;
using Archiver.Testing;
using Xunit;

namespace Archiver.Integration.Tests.Archiving;

/// <summary>Deletes that would change more than the rows that were archived (PROTOCOL.md rules 11 and 12).</summary>
public sealed class SideEffectTests(TestServers servers)
{
    private const int Idle = 6;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("DELETE FROM notes WHERE session_id = OLD.session_id")]
    [InlineData("UPDATE notes SET note = 'orphan' WHERE session_id = OLD.session_id")]
    public async Task Leaves_a_session_whose_delete_changes_rows_that_were_not_archived(string sideEffect)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1);
        var session = await archiver.AnyIdleAsync(Token);
        await archiver.ExecuteAsync($"""
            CREATE TABLE notes (session_id uuid, note text);
            CREATE FUNCTION tidy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {sideEffect.Replace("notes", "public.notes", StringComparison.Ordinal)}; RETURN NULL; END $$;
            CREATE TRIGGER tidy AFTER DELETE ON chat_messages FOR EACH ROW EXECUTE FUNCTION tidy();
            INSERT INTO notes VALUES ('{session}', 'precious');
            """, null);

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Partial, Idle - 1L, 1L), (summary.Outcome, summary.Sessions, summary.Failed));
        Assert.Equal(1, summary.Reasons[DropReason.SideEffects]);
        Assert.Equal("precious", await archiver.Database.ScalarAsync<string>("SELECT note FROM notes"));
    }

    [Fact]
    public async Task Leaves_a_session_that_a_foreign_key_of_somebody_else_needs()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1);
        var session = await archiver.AnyIdleAsync(Token);
        await archiver.ExecuteAsync("CREATE TABLE invoices (session_id uuid REFERENCES chat_sessions)", null);
        await archiver.ExecuteAsync("INSERT INTO invoices VALUES ($1)", session);

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Done, Idle - 1L, 1L), (summary.Outcome, summary.Sessions, summary.Skipped));
        Assert.Equal(1, summary.Reasons[DropReason.Referenced]);
    }

    [Fact]
    public async Task Leaves_a_session_whose_delete_a_trigger_refuses()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1);
        var session = await archiver.AnyIdleAsync(Token);
        await archiver.ExecuteAsync($"""
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              IF OLD.session_id = '{session}' THEN RAISE EXCEPTION 'not this one'; END IF; RETURN OLD; END $$;
            CREATE TRIGGER refuse BEFORE DELETE ON chat_messages FOR EACH ROW EXECUTE FUNCTION refuse();
            """, null);

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Partial, Idle - 1L, 1L), (summary.Outcome, summary.Sessions, summary.Failed));
        Assert.Equal(1, summary.Reasons[$"{DropReason.NotDeleted} (P0001)"]);
    }

    [Fact]
    public async Task Leaves_a_session_when_a_trigger_keeps_one_of_its_rows()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1);
        var session = await archiver.AnyIdleAsync(Token);
        await archiver.ExecuteAsync($"""
            CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              IF OLD.session_id = '{session}' THEN RETURN NULL; END IF; RETURN OLD; END $$;
            CREATE TRIGGER keep BEFORE DELETE ON chat_messages FOR EACH ROW EXECUTE FUNCTION keep();
            """, null);

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((Idle - 1L, 1L), (summary.Sessions, summary.Skipped));
        Assert.Equal(1, summary.Reasons[DropReason.Changed]);
        Assert.Equal(1, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions WHERE last_activity < now() - interval '90 days'"));
    }
}
