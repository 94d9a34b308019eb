using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Testing;
using static Archiver.Integration.Tests.Lifecycle.PolicyRuns;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>Expire sets a status and changes nothing else.</summary>
public sealed class ExpireTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("NULL", 0)]
    [InlineData("now() + (n - 8.5) * interval '1 day'", 8)]
    [InlineData("now() - interval '1 second'", 24)]
    public async Task Expires_what_is_past_its_time_and_leaves_the_rest_to_the_byte(string expiresAt, int due)
    {
        await using var archiver = await CreateAsync(expiresAt);
        var db = archiver.Database;
        var messages = await db.CopyOutAsync("SELECT * FROM messages ORDER BY id");
        var others = await db.CopyOutAsync("SELECT * FROM sessions WHERE NOT coalesce(expires_at < now(), false) ORDER BY id");

        var summary = await archiver.RunAsync(Expire(), Token);

        Assert.Null(summary.Error);
        Assert.Equal((RunOutcome.Done, due, 0L), (summary.Outcome, summary.Sessions, summary.Rows));
        Assert.Equal(due, await db.ScalarAsync<long>("SELECT count(*) FROM sessions WHERE status = 'expired'"));
        Assert.Equal(others, await db.CopyOutAsync("SELECT * FROM sessions WHERE status <> 'expired' ORDER BY id"));
        Assert.Equal(messages, await db.CopyOutAsync("SELECT * FROM messages ORDER BY id"));
        Assert.Equal(
            $"{due} {due}",
            await db.ScalarAsync<string>(
                "SELECT concat_ws(' ', (SELECT sum(sessions_done) FROM archiver.runs WHERE action = 'expire'), (SELECT "
                    + "coalesce(sum((counts->>'sessions')::int), 0) FROM archiver.audit WHERE action = 'expire'))"
            )
        );
        Assert.Equal(0, (await archiver.RunAsync(Expire(), Token)).Sessions);
    }

    /// <summary>As an application has it that ends sessions after 24 hours of inactivity and gives them no time of expiry.</summary>
    [Fact]
    public async Task Expires_by_idleness_what_neither_session_nor_message_has_touched()
    {
        await using var archiver = await CreateAsync("NULL");
        var db = archiver.Database;
        await db.ExecuteAsync(
            """
            SET session_replication_role = replica;
            UPDATE sessions SET updated_at = now() - interval '25 hours';
            UPDATE messages SET created_at = now() - interval '26 hours';
            UPDATE sessions SET updated_at = now() - interval '23 hours' WHERE id = (SELECT min(id::text)::uuid FROM sessions);
            UPDATE messages SET created_at = now() - interval '1 hour'
              WHERE id = (SELECT max(id) FROM messages WHERE session_id = (SELECT max(id::text)::uuid FROM sessions));
            """
        );
        var idle = Expire() with { ExpiredFor = null, IdleFor = TimeSpan.FromHours(24) };

        var summary = await archiver.RunAsync(idle, Token);

        Assert.Equal((RunOutcome.Done, 22L), (summary.Outcome, summary.Sessions));
        Assert.Equal(
            "active,active",
            await db.ScalarAsync<string>("SELECT string_agg(status, ',') FROM sessions WHERE status <> 'expired'")
        );
        Assert.Equal(0, (await archiver.RunAsync(idle, Token)).Sessions);
    }

    [Fact]
    public async Task Leaves_held_sessions_and_marked_ones_alone()
    {
        await using var archiver = await CreateAsync("now() - interval '1 second'");
        await archiver.MigrateAsync(Token);
        await archiver.HoldAsync((await archiver.Database.ScalarAsync<string>("SELECT id::text FROM sessions ORDER BY id LIMIT 1"))!);
        await archiver.Database.ExecuteAsync(
            "UPDATE sessions SET status = 'archived' WHERE id = (SELECT id FROM sessions ORDER BY id OFFSET 1 LIMIT 1)"
        );

        Assert.Equal(22, (await archiver.RunAsync(Expire(), Token)).Sessions);

        Assert.Equal(
            "active,archived,expired",
            await archiver.Database.ScalarAsync<string>("SELECT string_agg(DISTINCT status, ',') FROM sessions")
        );
        Assert.Equal(0, (await archiver.RunAsync(Expire() with { Name = "e2", Status = ["active"] }, Token)).Sessions);
        Assert.Equal(1, (await archiver.RunAsync(Expire() with { Name = "e3", Status = ["archived"] }, Token)).Sessions);
    }

    [Theory]
    [InlineData("DELETE FROM public.messages WHERE session_id = NEW.id; RETURN NEW", DropReason.SideEffects)]
    [InlineData("UPDATE public.sessions SET title = 'lost' WHERE expires_at IS NULL; RETURN NEW", DropReason.SideEffects)]
    [InlineData("RETURN NULL", DropReason.SideEffects)]
    [InlineData("RAISE 'no'", "update refused (P0001)")]
    public async Task Rolls_back_the_one_session_whose_update_does_something_else(string body, string reason)
    {
        await using var archiver = await CreateAsync("CASE WHEN n > 1 THEN now() - interval '1 second' END");
        var session = await archiver.Database.ScalarAsync<string>("SELECT id::text FROM sessions ORDER BY id OFFSET 7 LIMIT 1");
        var messages = await archiver.Database.CopyOutAsync("SELECT * FROM messages ORDER BY id");
        await archiver.Database.ExecuteAsync(
            $"""
            CREATE FUNCTION surprise() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; END $$;
            CREATE TRIGGER surprise BEFORE UPDATE ON sessions FOR EACH ROW WHEN (OLD.id = '{session}') EXECUTE FUNCTION surprise();
            """
        );

        var summary = await archiver.RunAsync(Expire(), Token);

        Assert.Equal((RunOutcome.Partial, 1, 22L, 1L), (summary.Outcome, summary.ExitCode, summary.Sessions, summary.Failed));
        Assert.Equal(1, summary.Reasons[reason]);
        Assert.Equal(
            session,
            await archiver.Database.ScalarAsync<string>(
                "SELECT id::text FROM sessions WHERE status <> 'expired' AND expires_at IS NOT NULL"
            )
        );
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM sessions WHERE title = 'lost'"));
        Assert.Equal(messages, await archiver.Database.CopyOutAsync("SELECT * FROM messages ORDER BY id"));
    }

    [Fact]
    public async Task Takes_an_enumerated_status_too()
    {
        await using var archiver = await CreateAsync("now() - interval '1 second'");
        await archiver.Database.ExecuteAsync(
            """
            DROP INDEX sessions_expiring_idx, sessions_archived_idx;
            ALTER TABLE sessions DROP CONSTRAINT sessions_status_check, ALTER COLUMN status DROP DEFAULT;
            CREATE TYPE state AS ENUM ('active', 'archived', 'expired');
            ALTER TABLE sessions ALTER COLUMN status TYPE state USING status::state;
            """
        );

        var summary = await archiver.RunAsync(Expire(), Token);

        Assert.Equal((null, 24L), (summary.Error, summary.Sessions));
    }

    private Task<ArchiverFixture> CreateAsync(string expiresAt) =>
        Purgeable.ExpiringAsync(servers, expiresAt, new() { Sessions = 10 }, Token);
}
