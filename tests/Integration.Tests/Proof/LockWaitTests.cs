using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Testing;
using Archiver.Testing.Proof;
using static Archiver.Integration.Tests.Proof.LingeringDeletes;

namespace Archiver.Integration.Tests.Proof;

/// <summary>
/// Who waits for whom, and how long: the application for the archiver at most <c>Batch:LockTimeout</c>, and so the archiver for the
/// application.
/// </summary>
public sealed class LockWaitTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_application_waits_no_longer_than_the_lock_timeout_for_a_session_in_a_batch_that_takes_long()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 4, young: 1);
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);

        var (summary, waits, title) = await RunWithApplicationAsync(archiver);

        Assert.InRange(waits.OfApplication, AtAll, LockWaits.Bound);
        Assert.Equal("in use", title);
        Assert.Equal((RunOutcome.Done, 3L, 1L, 0L), (summary.Outcome, summary.Sessions, summary.Skipped, summary.Failed));
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
    }

    [Fact]
    public async Task A_session_that_the_application_waits_for_in_order_to_change_it_is_no_failure()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 1, young: 1);
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);

        var (summary, waits, title) = await RunWithApplicationAsync(archiver);

        Assert.InRange(waits.OfApplication, AtAll, LockWaits.Bound);
        Assert.Equal("in use", title);
        Assert.Equal((RunOutcome.Done, 0L), (summary.Outcome, summary.Failed));
        Assert.Equal(1, summary.Reasons[DropReason.Changed]);
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.quarantine"));
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
    }

    // Its pieces are tried one after the other, and the first that is done does not speak for the bundle.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_bundle_whose_sessions_are_deleted_in_two_transactions_is_kept_for_the_one_of_them_that_is(int changed)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 2, young: 1, configure: s =>
            s with
            {
                Storage = s.Storage with { Layout = StorageLayout.Bundle },
            }
        );
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);

        var (summary, _, title) = await RunWithApplicationAsync(archiver, which: changed);

        Assert.Equal("in use", title);
        Assert.Equal((RunOutcome.Done, null, 1L, 1L), (summary.Outcome, summary.Error, summary.Sessions, summary.Skipped));
        Assert.Equal("stored", await archiver.Database.ScalarAsync<string>("SELECT string_agg(state, ',') FROM archiver.objects"));
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
    }

    // Purge has no copy, but the same manners.
    [Fact]
    public async Task A_purge_keeps_nobody_waiting_either()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 1, young: 1, configure: s =>
            s with
            {
                Sources = [s.Sources[0] with { Policies = [s.Sources[0].Policies[0] with { Action = PolicyAction.Purge }] }],
            }
        );

        var (summary, waits, title) = await RunWithApplicationAsync(archiver);

        Assert.InRange(waits.OfApplication, AtAll, LockWaits.Bound);
        Assert.Equal("in use", title);
        Assert.Equal((RunOutcome.Done, null, 0L, 1L), (summary.Outcome, summary.Error, summary.Sessions, summary.Skipped));
    }

    [Fact]
    public async Task A_stored_session_that_the_application_waits_for_keeps_no_other_from_being_superseded()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 4, young: 1, configure: s =>
            s with
            {
                Sources = [s.Sources[0] with { Policies = [s.Sources[0].Policies[0] with { Delete = DeleteMode.Nothing }] }],
            }
        );
        Assert.Equal(4, (await archiver.RunAsync(Token)).Sessions);
        await archiver.ExecuteAsync("UPDATE chat_messages SET content = 'edited'", null);

        // The mark is taken back by an update of the session.
        var (summary, waits, title) = await RunWithApplicationAsync(archiver, "UPDATE", "chat_sessions");

        Assert.InRange(waits.OfApplication, AtAll, LockWaits.Bound);
        Assert.Equal("in use", title);
        Assert.Equal((RunOutcome.Done, null), (summary.Outcome, summary.Error));
        // The fourth depends on whether the application has ended when its half is tried.
        Assert.InRange(
            await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state = 'superseded'"),
            3,
            4
        );
    }

    // A migration that came between the selection and the export.
    [Fact]
    public async Task A_table_that_is_locked_during_an_export_makes_no_session_fail()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 4, young: 1);
        await using var migration = await archiver.Database.DataSource.OpenConnectionAsync(Token);
        await using var transaction = await migration.BeginTransactionAsync(Token);
        var reached = InProcessFault.Once(FaultPoints.Selected, () =>
            archiver.ExecuteAsync("LOCK TABLE chat_messages IN ACCESS EXCLUSIVE MODE", null, migration)
        );

        var locked = await archiver.RunAsync(Token);
        await transaction.RollbackAsync(Token);
        var free = await archiver.RunAsync(Token);

        Assert.True(reached());
        Assert.Equal((RunOutcome.Done, null, 0L, 0L), (locked.Outcome, locked.Error, locked.Sessions, locked.Failed));
        Assert.Equal(4, locked.Reasons[DropReason.Locked]);
        Assert.Single(archiver.Events.Messages, m =>
            m.Contains($"Table public.chat_messages is locked by process {migration.ProcessID} ", StringComparison.Ordinal)
        );
        Assert.Equal((RunOutcome.Done, 4L), (free.Outcome, free.Sessions));
    }

    /// <summary>
    /// The delete, or the update, of one session takes a minute, and while it goes on the application wants to change that session.
    /// </summary>
    private static async Task<(RunSummary Summary, LockWaits Waits, string? Title)> RunWithApplicationAsync(
        ArchiverFixture archiver,
        string change = "DELETE",
        string table = "chat_messages",
        int which = 0
    )
    {
        var session = await archiver.Database.ScalarAsync<string>(
            "SELECT session_id::text FROM chat_sessions WHERE last_activity < now() "
                + $"- interval '90 days' ORDER BY ended_at, session_id OFFSET {which} LIMIT 1"
        );
        await archiver.ExecuteAsync(
            $"""
            CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              IF OLD.session_id = '{session}' AND coalesce(to_jsonb(NEW) ->> 'session_title', '') <> 'in use'
                THEN PERFORM pg_sleep(60); END IF;
              RETURN coalesce(NEW, OLD); END $$;
            CREATE TRIGGER linger BEFORE {change} ON {table} FOR EACH ROW EXECUTE FUNCTION linger();
            """,
            null
        );
        await using var waits = LockWaits.Watch(archiver.Database.ConnectionString);
        var application = Task.Run(
            async () =>
            {
                await LingersAsync(archiver);
                await archiver.ExecuteAsync(
                    "UPDATE chat_sessions SET session_title = 'in use', last_activity = now() WHERE session_id = $1",
                    session
                );
            },
            Token
        );
        var summary = await archiver.RunAsync(Token);
        await application;
        return (
            summary,
            waits,
            await archiver.Database.ScalarAsync<string>($"SELECT session_title FROM chat_sessions WHERE session_id = '{session}'")
        );
    }
}
