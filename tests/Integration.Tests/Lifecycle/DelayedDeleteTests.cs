using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Pipelines;
using Archiver.Core.Settings;
using Archiver.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using static Archiver.Integration.Tests.Lifecycle.PolicyRuns;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>
/// DeleteAfter: stored and marked now, verified again and deleted by a later run; what is not as it was stored stays whole.
/// </summary>
public sealed class DelayedDeleteTests(TestServers servers) : DelayedScenario(servers)
{
    [Theory]
    [InlineData(StorageLayout.Session)]
    [InlineData(StorageLayout.Bundle)]
    public async Task Deletes_none_some_and_all_of_what_is_due(StorageLayout layout)
    {
        await using var archiver = await StoredAsync(idle: 6, layout);
        var db = archiver.Database;
        Assert.Equal(
            6,
            await db.ScalarAsync<long>(
                "SELECT count(*) FROM chat_sessions s JOIN archiver.archives a ON a.session_id = "
                    + "s.session_id::text AND a.state = 'stored' WHERE s.archived"
            )
        );
        await MakeDueAsync(archiver, "6 days 23 hours", 6);
        var rows = await RowsAsync(archiver);
        var none = await archiver.RunAsync(Delayed, Token);
        Assert.Equal((RunOutcome.Done, 0L, 0L), (none.Outcome, none.Sessions, (await archiver.PlanAsync(Delayed, Token)).Due));
        Assert.Equal(rows, await RowsAsync(archiver));

        await MakeDueAsync(archiver, "7 days 1 minute", 2);
        var kept = await RowsAsync(archiver, "IN (SELECT session_id FROM archiver.archives ORDER BY id OFFSET 2)");
        var dry = await archiver.RunAsync(Delayed with { DryRun = true }, Token);
        Assert.Equal((2, 2, 2), ((await archiver.PlanAsync(Delayed, Token)).Due, dry.Selected, dry.Delayed));
        var some = await archiver.RunAsync(Delayed, Token);

        Assert.Null(some.Error);
        Assert.Equal((RunOutcome.Done, 2L, 2L, 2L * (1 + Messages)), (some.Outcome, some.Sessions, some.Delayed, some.Rows));
        Assert.Equal(kept, await RowsAsync(archiver));
        Assert.Equal("2 archived, 4 stored", await StatesAsync(archiver));
        Assert.Equal(
            2,
            await db.ScalarAsync<long>(
                "SELECT count(*) FROM archiver.archives WHERE state = 'archived' AND archived_at > now() - interval '1 hour'"
            )
        );
        Assert.Equal(
            (2, 8),
            (
                await db.ScalarAsync<long>("SELECT sessions_done FROM archiver.runs ORDER BY started_at DESC LIMIT 1"),
                await db.ScalarAsync<long>("SELECT rows_deleted FROM archiver.runs ORDER BY started_at DESC LIMIT 1")
            )
        );

        await MakeDueAsync(archiver, "8 days", 6);
        var all = await archiver.RunAsync(Delayed, Token);
        Assert.Equal((RunOutcome.Done, 4L), (all.Outcome, all.Delayed));
        Assert.Equal(
            ("6 archived", 0),
            (
                await StatesAsync(archiver),
                await db.ScalarAsync<long>("SELECT count(*) FROM chat_messages WHERE timestamp < now() - interval '90 days'")
            )
        );
    }

    [Fact]
    public async Task Deletes_what_is_due_although_the_tables_were_rewritten_in_between()
    {
        await using var archiver = await StoredAsync(idle: 4, StorageLayout.Session);
        await MakeDueAsync(archiver, "8 days", 4);
        await archiver.Database.ExecuteAsync(
            """
            CREATE TEMP TABLE s AS TABLE chat_sessions; CREATE TEMP TABLE m AS TABLE chat_messages;
            TRUNCATE chat_sessions, chat_messages;
            INSERT INTO chat_sessions SELECT * FROM s ORDER BY session_id DESC; INSERT INTO chat_messages SELECT * FROM m ORDER BY id DESC;
            DROP TABLE s, m;
            """
        );

        var summary = await archiver.RunAsync(Delayed, Token);

        Assert.Equal((null, 4L, 4L), (summary.Error, summary.Sessions, summary.Delayed));
        Assert.Equal("4 archived", await StatesAsync(archiver));
        Assert.Equal(4, (await archiver.Bucket.ListKeysAsync("chat_archives/2", Token)).Count);
    }

    [Fact]
    public async Task Deletes_although_a_trigger_took_the_mark_for_activity()
    {
        await using var archiver = await TouchedAsync();
        await archiver.RunAsync(Delayed, Token);
        Assert.Equal(
            3,
            await archiver.Database.ScalarAsync<long>(
                """SELECT count(*) FROM archiver.archives WHERE mark->'changed' @> '["status", "updated_at"]' AND jsonb_array_length(mark->'changed') = 2"""
            )
        );
        await MakeDueAsync(archiver, "8 days", 3);

        var summary = await archiver.RunAsync(Delayed, Token);

        Assert.Equal(
            (null, 3L, 1L),
            (summary.Error, summary.Delayed, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM sessions"))
        );
    }

    [Fact]
    public async Task Deletes_what_was_stored_while_the_policy_deleted_nothing_and_not_for_another_policy_of_the_name()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(Servers, Token, idle: 3, young: 1, Messages);
        Assert.Equal(3, (await archiver.RunAsync(Archive() with { Delete = DeleteMode.Nothing }, Token)).Sessions);
        // As a restore makes room: a policy with a condition of its own, which the source does not have.
        var other = Archive() with { Where = "true" };
        var foreign = await new PolicyRunner(
            archiver.Settings,
            archiver.Catalog,
            archiver.Store,
            TimeProvider.System,
            NullLogger<PolicyRunner>.Instance
        ).RunAsync(new RunRequest(archiver.Source, other), null, Token);
        Assert.Equal((RunOutcome.Done, 0L, "3 stored"), (foreign.Outcome, foreign.Sessions, await StatesAsync(archiver)));

        var summary = await archiver.RunAsync(Archive(), Token);

        Assert.Equal((null, 3L, 3L, false), (summary.Error, summary.Sessions, summary.Delayed, summary.RowsStay));
        Assert.Equal(
            ("3 archived", 1),
            (await StatesAsync(archiver), await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions"))
        );
    }

    [Fact]
    public async Task Keeps_what_was_stored_on_trial_and_is_younger_than_the_policy_says_now()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(Servers, Token, idle: 3, young: 1, Messages);
        Assert.Equal(3, (await archiver.RunAsync(Archive() with { Delete = DeleteMode.Nothing }, Token)).Sessions);
        var rows = await RowsAsync(archiver);

        var summary = await archiver.RunAsync(Archive() with { IdleFor = TimeSpan.FromDays(3650) }, Token);

        Assert.Equal((RunOutcome.Done, 0L, 0L), (summary.Outcome, summary.Sessions, summary.Delayed));
        Assert.Equal(3, summary.Reasons[DropReason.NoLongerEligible]);
        Assert.Equal((rows, "3 superseded"), (await RowsAsync(archiver), await StatesAsync(archiver)));
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions WHERE archived"));
        Assert.Equal(3, (await archiver.RunAsync(Archive(), Token)).Sessions);
        Assert.Equal("3 archived, 3 superseded", await StatesAsync(archiver));
    }

    // It is asked of the row that the copy has: the row of now has the mark, and what a trigger made of the mark.
    [Theory]
    [InlineData("s.status = 'active' AND s.updated_at < now() - interval '90 days'")]
    [InlineData("public.is_due(s)")]
    public async Task Asks_the_policy_of_the_row_as_it_was_before_the_mark(string where)
    {
        await using var archiver = await TouchedAsync();
        await archiver.Database.ExecuteAsync(
            "CREATE FUNCTION is_due(sessions) RETURNS boolean LANGUAGE sql AS $$ SELECT $1.status = 'active' AND $1.updated_at < now() - "
                + "interval '90 days' $$"
        );
        var policy = Delayed with { Where = where, Status = ["active"] };
        Assert.Equal(3, (await archiver.RunAsync(policy, Token)).Sessions);
        await MakeDueAsync(archiver, "8 days", 3);

        var summary = await archiver.RunAsync(policy, Token);

        Assert.Equal((null, 3L, "3 archived"), (summary.Error, summary.Delayed, await StatesAsync(archiver)));
    }

    // A document has no key where its row has NULL.
    [Theory]
    [InlineData("s.archive_location IS NULL")]
    [InlineData(null)]
    public async Task Deletes_although_its_policy_asks_for_a_column_that_was_NULL_before_the_mark(string? where)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(Servers, Token, idle: 3, young: 1, Messages);
        await archiver.Database.ExecuteAsync(
            "UPDATE chat_sessions SET ended_at = NULL; CREATE FUNCTION ended() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                + "NEW.ended_at := now(); RETURN NEW; END $$; CREATE TRIGGER ended BEFORE UPDATE ON chat_sessions FOR EACH ROW "
                + "EXECUTE FUNCTION ended()"
        );
        var policy = Delayed with { Where = where };
        Assert.Equal(3, (await archiver.RunAsync(policy, Token)).Sessions);
        await MakeDueAsync(archiver, "8 days", 3);

        var summary = await archiver.RunAsync(policy, Token);

        Assert.Equal((null, 3L, "3 archived"), (summary.Error, summary.Delayed, await StatesAsync(archiver)));
    }
}
