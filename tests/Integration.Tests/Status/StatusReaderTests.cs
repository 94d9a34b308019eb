using Archiver.Core.Status;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Status;

/// <summary>The numbers that command line, metrics and status page show.</summary>
public sealed class StatusReaderTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Tells_the_backlog_before_a_run_and_what_became_of_it_after()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 30, young: 10, messages: 4);
        await archiver.Database.ExecuteAsync(
            "UPDATE chat_sessions SET last_activity = now() - interval '95 days', ended_at = NULL WHERE last_activity < now() - interval "
                + "'90 days'"
        );
        await archiver.Database.ExecuteAsync(
            "UPDATE chat_sessions SET last_activity = now() - interval '100 days' WHERE session_id = (SELECT session_id FROM chat_sessions "
                + "WHERE last_activity < now() - interval '90 days' LIMIT 1)"
        );
        await MigrateAsync(archiver);

        var before = await ReadAsync(archiver);
        var run = await archiver.RunAsync(Token);
        var after = await ReadAsync(archiver);

        var backlog = Assert.Single(before.Policies);
        Assert.Equal((30L, null, null), (backlog.Eligible, backlog.LastRun, backlog.LastSuccess));
        Assert.InRange(backlog.SecondsPastCutOff!.Value, 10 * 86400, 10 * 86400 + 600);
        Assert.InRange(backlog.EligibleBytes!.Value, run.JsonBytes / 5, run.JsonBytes * 5);
        var done = Assert.Single(after.Policies);
        Assert.Equal((0L, 0d, "done"), (done.Eligible, done.SecondsPastCutOff, done.LastRun!.State));
        Assert.Equal(done.LastRun.EndedAt, done.LastSuccess);
        Assert.Equal((30L, run.Rows, run.JsonBytes), (Assert.Single(after.Runs).Done, after.Runs[0].Rows, after.Runs[0].JsonBytes));
        Assert.Equal(30, after.Archives["archived"]);
        Assert.Equal(
            (StatusReader.Days, 30L, run.StoredBytes),
            (after.Days.Count, after.Days.Sum(d => d.Archived), after.Days.Sum(d => d.StoredBytes))
        );
        var totals = Assert.Single(after.Totals);
        Assert.Equal(("idle", "archive", 1L, 30L), (totals.Policy, totals.Action, totals.Runs["done"], totals.Done));
    }

    [Fact]
    public async Task Warns_of_tables_above_their_size_and_of_dead_rows()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 1500, young: 10, messages: 8, configure: s =>
            s with
            {
                Growth = s.Growth with { MessagesTable = 1_000 },
            }
        );
        await archiver.Database.ExecuteAsync("ALTER TABLE chat_messages SET (autovacuum_enabled = false)");
        Assert.Equal(1500, (await archiver.RunAsync(Token)).Sessions);

        // The server's statistics are sent by the sessions that changed the rows, a little later.
        SourceStatus? status = null;
        await Eventually.TrueAsync(async () => (status = await ReadAsync(archiver)).Tables[1].NeedsVacuum, Token);

        var (sessions, messages) = (status!.Tables[0], status.Tables[1]);
        Assert.Equal(("public.chat_messages", true), (messages.Table, messages.TooLarge));
        Assert.True(messages.DeadRows >= 12_000);
        Assert.False(sessions.TooLarge);
        await archiver.Database.ExecuteAsync("VACUUM chat_messages");
        await Eventually.TrueAsync(
            async () => (await ReadAsync(archiver)).Tables[1] is { NeedsVacuum: false, LastVacuum: not null },
            Token
        );
    }

    [Fact]
    public async Task Counts_soft_deleted_rows_of_both_tables()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 4, messages: 5, preset: "soft-delete");
        await archiver.Database.ExecuteAsync("UPDATE chat_sessions SET deleted_at = NULL; UPDATE chat_messages SET deleted_at = NULL");
        await archiver.Database.ExecuteAsync(
            "UPDATE chat_sessions SET deleted_at = now() WHERE id IN (SELECT id FROM chat_sessions LIMIT 2)"
        );
        await archiver.Database.ExecuteAsync(
            "UPDATE chat_messages SET deleted_at = now() WHERE id IN (SELECT id FROM chat_messages LIMIT 3)"
        );
        await MigrateAsync(archiver);

        Assert.Equal([2L, 3L], (await ReadAsync(archiver)).Tables.Select(t => t.SoftDeleted));
    }

    [Fact]
    public async Task A_day_is_a_day_of_utc_whatever_the_zone_of_the_server()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 1, young: 0);
        await MigrateAsync(archiver);
        await archiver.Database.ExecuteAsync(
            """
            INSERT INTO archiver.runs (id, source, policy, action, state, worker, sessions_done, started_at, ended_at)
            SELECT gen_random_uuid(), 'main', 'idle', 'archive', 'done', 'x', d.done,
              (date_trunc('day', now() AT TIME ZONE 'UTC') - interval '1 day' + d.at) AT TIME ZONE 'UTC', now()
            FROM (VALUES (1, interval '0'), (10, interval '12 hours'), (100, interval '23:59:59.999999')) AS d (done, at)
            """
        );

        var days = (await ReadAsync(archiver)).Days;

        Assert.Equal([111L, 0L], days.TakeLast(2).Select(d => d.Archived));
    }

    [Fact]
    public async Task Says_what_keeps_a_policy_from_running()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 900, young: 200, messages: 1, configure: s =>
            s with
            {
                Safety = s.Safety with { MaxShare = 0.25 },
            }
        );
        await MigrateAsync(archiver);
        await archiver.Database.ExecuteAsync(
            "INSERT INTO archiver.pauses (source, policy, paused_by) VALUES ('main', 'idle', 'test'), ('other', '', 'test')"
        );
        await archiver.Database.ExecuteAsync(
            "INSERT INTO archiver.quarantine (source, session_id, reason, attempts, run_id, "
                + "quarantined_at) VALUES ('main', 'x', 'unreadable', 5, gen_random_uuid(), now())"
        );
        await archiver.Database.ExecuteAsync(
            "INSERT INTO archiver.holds (source, user_id, reason, created_by) VALUES ('main', 'somebody', 'case 4711', 'test')"
        );

        var status = await ReadAsync(archiver);
        await archiver.Database.ExecuteAsync("CREATE TABLE marks (message bigint REFERENCES chat_messages ON DELETE CASCADE)");
        var refused = await ReadAsync(archiver);

        Assert.Equal((true, true, null), (status.Policies[0].Paused, status.Policies[0].TripWire, status.Policies[0].Problem));
        Assert.Equal(["main/idle"], status.Pauses);
        Assert.Equal((1L, 0L, 1L), (status.Quarantined, status.Failing, status.Holds));
        Assert.Contains("chat_messages", refused.Policies[0].Problem, StringComparison.Ordinal);
        Assert.Null(refused.Policies[0].Eligible);
        Assert.Equal(2, refused.Tables.Count);
    }

    private static Task<SourceStatus> ReadAsync(ArchiverFixture archiver) =>
        new StatusReader(archiver.Settings, archiver.Catalog, TimeProvider.System).ReadAsync(archiver.Source, Token);

    private static async Task MigrateAsync(ArchiverFixture archiver)
    {
        await using var connection = await archiver.Connections.OpenAsync(Token);
        await Core.Ledger.Migrator.MigrateAsync(connection, Token);
    }
}
