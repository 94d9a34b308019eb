using Archiver.Core.Sources;
using Archiver.Testing;
using Npgsql;

namespace Archiver.Worker.Tests;

/// <summary>When proofs are done, how often, and what becomes of one that fails or is stopped.</summary>
public sealed class ProofScheduleTests(TestServers servers) : ProofScenario(servers)
{
    [Fact]
    public async Task A_scheduled_reconcile_fixes_nothing_and_is_skipped_while_another_worker_runs()
    {
        await using var archiver = await ArchivedAsync(idle: 3);
        var keys = await archiver.Bucket.ListKeysAsync("chat_archives/2");
        await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, keys[1], Token);
        var before = await LedgerAsync(archiver);
        await using var other = await archiver.Database.DataSource.OpenConnectionAsync(Token);
        await LockAsync(other, "pg_advisory_lock");
        await using var worker = await RunningWorker.InvokeAsync(archiver.With("Schedule:Reconcile", EverySecond), Token);

        await worker.LoggedAsync(Skipped, Token);
        await Eventually.TrueAsync(
            async () => Proof(await archiver.RunAsync("status", "--json")) is var p && p.GetProperty("state").GetString() == "skipped",
            Token
        );
        Assert.Contains(
            "Scheduled reconcile was skipped: another worker runs on the source",
            (await archiver.RunAsync("status")).Output,
            StringComparison.Ordinal
        );

        await LockAsync(other, "pg_advisory_unlock");
        await worker.LoggedAsync(Found, Token);
        await worker.StopAsync(Token);
        Assert.Equal("1 missing", Events(worker, Found)[0].GetProperty("Found").GetString());
        Assert.Contains("Scheduled reconcile found 1 missing", (await archiver.RunAsync("status")).Output, StringComparison.Ordinal);
        Assert.Equal(before, await LedgerAsync(archiver));
    }

    /// <summary>A server or store that refuses says nothing about any archive.</summary>
    [Fact]
    public async Task A_proof_that_fails_says_why_keeps_its_place_and_is_tried_again()
    {
        await using var archiver = await ArchivedAsync(idle: 3);
        await archiver.Database.ExecuteAsync(
            "ALTER TABLE archiver.damages RENAME TO away; INSERT INTO archiver.proofs (source, proof, "
                + "state, worker, position) SELECT 'main', 'verify', 'done', 'w', min(id) FROM archiver.archives"
        );
        await using var worker = await RunningWorker.InvokeAsync(
            archiver.With("Schedule:Verify", EverySecond).With("Schedule:VerifySample", "2"),
            Token
        );

        await worker.LoggedAsync(Failed, Token);
        await Eventually.TrueAsync(
            async () => await archiver.Database.ScalarAsync<string>("SELECT state FROM archiver.proofs") == "failed",
            Token
        );
        Assert.Contains(
            "42P01",
            await archiver.Database.ScalarAsync<string>("SELECT error FROM archiver.proofs"),
            StringComparison.Ordinal
        );

        await archiver.Database.ExecuteAsync("ALTER TABLE archiver.away RENAME TO damages");
        await worker.LoggedAsync(Done, Token);
        Assert.Equal(2, Events(worker, Done)[0].GetProperty("Checked").GetInt64());
        await worker.StopAsync(Token);
        Assert.DoesNotContain("was not done", (await archiver.RunAsync("status")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_proof_whose_time_was_missed_is_done_at_the_start()
    {
        await using var archiver = await ArchivedAsync(idle: 2);
        await archiver.Database.ExecuteAsync(
            "UPDATE archiver.ledger SET created_at = now() - interval '400 days'; UPDATE archiver.runs SET started_at = clock_timestamp()"
        );

        await using var worker = await RunningWorker.InvokeAsync(archiver.With("Schedule:Verify", EveryYear), Token);

        await worker.LoggedAsync(Done, Token);
    }

    /// <summary>What kills the worker, such as an object that needs more memory than there is, is there at each start.</summary>
    [Fact]
    public async Task A_proof_in_which_the_worker_died_waits_for_its_next_time_and_the_policies_run()
    {
        const int RunEnded = 1001;
        await using var archiver = await ArchivedAsync(idle: 2);
        await archiver.Database.ExecuteAsync(
            "UPDATE archiver.ledger SET created_at = now() - interval '400 days'; UPDATE archiver.runs SET started_at = clock_timestamp()"
        );
        archiver.With("Schedule:Reconcile", EveryYear);
        await using (var other = await archiver.Database.DataSource.OpenConnectionAsync(Token))
        {
            await using var transaction = await other.BeginTransactionAsync(Token);
            await ExecuteAsync(other, "LOCK TABLE archiver.objects IN ACCESS EXCLUSIVE MODE");
            await using var first = await RunningWorker.StartAsync(archiver, Token);
            await Eventually.TrueAsync(
                async () =>
                    await archiver.Database.ScalarAsync<long>(
                        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' "
                            + "AND query LIKE 'SELECT count(*) FROM archiver.objects %'"
                    ) > 0,
                Token,
                TimeSpan.FromMinutes(2)
            );
            first.Kill();
        }
        const string locked =
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database "
            + "WHERE datname = current_database())";
        await Eventually.TrueAsync(async () => await archiver.Database.ScalarAsync<long>(locked) == 0, Token);

        await using var second = await RunningWorker.InvokeAsync(archiver.With("Sources:main:Policies:idle:Cron", EverySecond), Token);

        // A proof that was begun at the start would have had its turn by then.
        await Eventually.TrueAsync(() => Events(second, RunEnded).Count >= 3, Token, TimeSpan.FromMinutes(2));
        Assert.False(second.HasLogged(Done) || second.HasLogged(Found), second.Log);
        await second.StopAsync(Token);
        Assert.Contains(
            "Scheduled reconcile was not done: it began and has not come to its end",
            (await archiver.RunAsync("status")).Output,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_proof_obeys_the_signal_to_stop_and_its_walk_stays_where_it_was()
    {
        await using var archiver = await ArchivedAsync(idle: 3);
        await using var other = await archiver.Database.DataSource.OpenConnectionAsync(Token);
        await using var transaction = await other.BeginTransactionAsync(Token);
        await ExecuteAsync(other, "LOCK TABLE archiver.damages IN ACCESS EXCLUSIVE MODE");
        await using var worker = await RunningWorker.InvokeAsync(
            archiver.With("Schedule:Verify", EverySecond).With("Schedule:VerifySample", "1"),
            Token
        );
        await Eventually.TrueAsync(
            async () =>
                await archiver.Database.ScalarAsync<long>(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = "
                        + "current_database() AND wait_event_type = 'Lock' AND query LIKE '%damages%'"
                ) > 0,
            Token
        );

        Assert.Equal(0, (await worker.StopAsync(Token)).ExitCode);

        Assert.True(worker.HasLogged(Stopped), worker.Log);
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.proofs"));
    }

    [Fact]
    public async Task Workers_of_a_cluster_share_one_proof_and_forget_it_when_it_is_configured_no_more()
    {
        await using var archiver = await ArchivedAsync(idle: 2);
        archiver.With("Schedule:Clustered", "true").With("Schedule:Verify", EverySecond);
        await using (var first = await RunningWorker.InvokeAsync(archiver, Token))
        await using (var second = await RunningWorker.InvokeAsync(archiver, Token))
        {
            await Eventually.TrueAsync(() => first.IsReadyAsync(Token), Token);
            await Eventually.TrueAsync(() => second.IsReadyAsync(Token), Token);
            await Eventually.TrueAsync(() => first.HasLogged(Done) || second.HasLogged(Done), Token);
            Assert.Equal(1, await JobsAsync(archiver));
        }

        await using var later = await RunningWorker.InvokeAsync(archiver.With("Schedule:Verify", null), Token);
        await Eventually.TrueAsync(async () => await JobsAsync(archiver) == 0, Token);
    }

    private static Task<long> JobsAsync(Installation archiver) =>
        archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver_quartz.qrtz_triggers WHERE trigger_name = 'verify'");

    private static Task LockAsync(NpgsqlConnection connection, string function) =>
        ExecuteAsync(connection, $"SELECT {function}({SourceLockKey.For("main", shard: 0).Value})");
}
