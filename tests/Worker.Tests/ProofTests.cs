using System.Text.Json;
using Archiver.Core.Sources;
using Archiver.Testing;
using Archiver.Worker.Tests.Http;
using Npgsql;

namespace Archiver.Worker.Tests;

/// <summary>What the worker verifies, rehearses and reconciles by itself, and how anybody learns of it.</summary>
public sealed class ProofTests(TestServers servers)
{
    private const string EverySecond = "* * * * * ?",
        EveryYear = "0 0 2 1 1 ?";
    private const int Done = 4000,
        Found = 4001,
        Skipped = 4002,
        Failed = 4003,
        Stopped = 4004;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_scheduled_verify_finds_what_is_damaged_and_everybody_learns_of_it_until_it_is_right_again()
    {
        await using var archiver = await ArchivedAsync(idle: 5);
        var keys = await archiver.Bucket.ListKeysAsync("chat_archives/2");
        var (lost, changed) = (await archiver.Bucket.GetRawAsync(keys[0]), await archiver.Bucket.GetRawAsync(keys[3]));
        await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, keys[0], Token);
        await archiver.Bucket.PutRawAsync(keys[3], new byte[changed.Length], Token);
        var before = await LedgerAsync(archiver);
        await using var worker = await RunningWorker.InvokeAsync(
            archiver.With("Schedule:Verify", EverySecond).With("Schedule:VerifySample", "2").With("Http:ApiKey", HttpFixture.Key),
            Token
        );

        // Of parts of two, two of three find one each; all that was found stays known.
        await worker.LoggedAsync(Found, Token);
        await Eventually.TrueAsync(async () => await DamagedAsync(archiver) == "missing 1, unreadable 1", Token);

        var status = JsonDocument.Parse((await archiver.RunAsync("status", "--json")).Output).RootElement[0];
        Assert.Equal(
            (1, 1, 0),
            (
                status.GetProperty("damaged").GetProperty("missing").GetInt32(),
                status.GetProperty("damaged").GetProperty("unreadable").GetInt32(),
                status.GetProperty("damaged").GetProperty("changed").GetInt32()
            )
        );
        Assert.Equal(
            [keys[0], keys[3]],
            status.GetProperty("damaged_archives").EnumerateArray().Select(d => d.GetProperty("object_key").GetString()!).Order()
        );
        var text = (await archiver.RunAsync("status")).Output;
        Assert.Contains("1 missing, 1 unreadable", text, StringComparison.Ordinal);
        Assert.Matches(@"verify +\d{4}-", text);
        var metrics = await ReadAsync(worker, "/metrics");
        Assert.Contains("archiver_damaged_archives{source=\"main\",problem=\"missing\"} 1\n", metrics, StringComparison.Ordinal);
        Assert.Contains("archiver_damaged_archives{source=\"main\",problem=\"changed\"} 0\n", metrics, StringComparison.Ordinal);
        foreach (var name in new[] { "done_time_seconds", "duration_seconds", "checked", "found", "not_done" })
            Assert.Contains($"archiver_proof_{name}{{source=\"main\",proof=\"verify\"", metrics, StringComparison.Ordinal);
        Assert.Contains("1 missing, 1 unreadable", await ReadAsync(worker, "/"), StringComparison.Ordinal);
        Assert.Equal(before, await LedgerAsync(archiver));
        Assert.Equal(4, (await archiver.Bucket.ListKeysAsync("chat_archives/2")).Count);

        await archiver.Bucket.PutRawAsync(keys[0], lost, Token);
        await archiver.Bucket.PutRawAsync(keys[3], changed, Token);
        await Eventually.TrueAsync(async () => await DamagedAsync(archiver) == "", Token);
        Assert.Equal(0, (await worker.StopAsync(Token)).ExitCode);
    }

    [Fact]
    public async Task A_nightly_part_walks_over_the_whole_archive_and_begins_again()
    {
        await using var archiver = await ArchivedAsync(idle: 5);
        await using var worker = await RunningWorker.InvokeAsync(
            archiver.With("Schedule:Verify", EverySecond).With("Schedule:VerifySample", "40%"),
            Token
        );

        await Eventually.TrueAsync(() => Events(worker, Done).Count >= 5, Token);

        Assert.Equal([2, 2, 1, 2, 2], Events(worker, Done).Take(5).Select(e => e.GetProperty("Checked").GetInt64()));
        var proof = Proof(await archiver.RunAsync("status", "--json"));
        Assert.Equal("done", proof.GetProperty("state").GetString());
        Assert.True(proof.GetProperty("walked_at").GetDateTimeOffset() >= proof.GetProperty("walked_from").GetDateTimeOffset());
    }

    /// <summary>A schema that has moved on since: the archive can be read, and could not be put back.</summary>
    [Fact]
    public async Task A_scheduled_drill_finds_what_could_be_read_and_not_be_restored_and_leaves_no_row_behind()
    {
        await using var archiver = await ArchivedAsync(idle: 3, young: 2);
        var rows = await archiver.RowsAsync();
        await archiver.Database.ExecuteAsync("ALTER TABLE chat_messages ADD CONSTRAINT shorter CHECK (length(content) < 1) NOT VALID");
        archiver
            .With("Schedule:RestoreDrill", EverySecond)
            .With("Schedule:RestoreDrillSample", "100%")
            .With("Schedule:Verify", EverySecond)
            .With("Schedule:VerifySample", "100%");
        await using var worker = await RunningWorker.InvokeAsync(archiver, Token);

        await Eventually.TrueAsync(async () => await DamagedAsync(archiver) == "refused 3", Token);
        // Another reading of it all does not make it restorable.
        var read = Events(worker, Done).Count;
        await Eventually.TrueAsync(() => Events(worker, Done).Count >= read + 2, Token);
        Assert.Equal("refused 3", await DamagedAsync(archiver));

        await archiver.Database.ExecuteAsync("ALTER TABLE chat_messages DROP CONSTRAINT shorter");
        await Eventually.TrueAsync(async () => await DamagedAsync(archiver) == "", Token);
        // The ledger knows it before the log says it: a worker that is stopped in between says nothing.
        await Eventually.TrueAsync(
            () =>
                Events(worker, Done)
                    .Any(e => e.GetProperty("Proof").GetString() == "restore_drill" && e.GetProperty("Checked").GetInt64() == 3),
            Token
        );
        await worker.StopAsync(Token);
        Assert.Equal(rows, await archiver.RowsAsync());
    }

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

    /// <summary>An object that discard or erase removes meanwhile is no damage.</summary>
    [Fact]
    public async Task What_is_being_destroyed_is_not_called_damaged()
    {
        await using var archiver = await ArchivedAsync(idle: 2);
        var key = (await archiver.Bucket.ListKeysAsync("chat_archives/2"))[0];
        await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, key, Token);
        Assert.Equal(1, (await archiver.RunAsync("verify", "--all")).ExitCode);
        Assert.Equal("missing 1", await DamagedAsync(archiver));

        await archiver.Database.ExecuteAsync($"UPDATE archiver.objects SET removal_began_at = now() WHERE key = '{key}'");
        var verified = await archiver.RunAsync("verify", "--all");

        Assert.Equal(0, verified.ExitCode);
        Assert.Contains("main: 1 archive read, 1 right", verified.Output, StringComparison.Ordinal);
        Assert.Equal(
            0,
            JsonDocument
                .Parse((await archiver.RunAsync("status", "--json")).Output)
                .RootElement[0]
                .GetProperty("damaged")
                .GetProperty("missing")
                .GetInt32()
        );
    }

    [Fact]
    public async Task A_source_that_is_renamed_keeps_its_proofs_and_its_requests()
    {
        await using var archiver = await ArchivedAsync(idle: 2);
        await archiver.Database.ExecuteAsync(
            """
            INSERT INTO archiver.proofs (source, proof, state, worker, position)
              VALUES ('main', 'verify', 'done', 'w', 7), ('chat', 'verify', 'done', 'w', 1);
            UPDATE archiver.store_requests SET requests = 40; INSERT INTO archiver.store_requests (source, requests) VALUES ('chat', 2)
            """
        );

        var renamed = await archiver.RenameSource("main", "chat").RunAsync("source", "rename", "main", "chat");

        Assert.True(renamed.ExitCode == 0, renamed.Error);
        Assert.Equal(
            "chat 7",
            await archiver.Database.ScalarAsync<string>("SELECT string_agg(source || ' ' || position, ', ') FROM archiver.proofs")
        );
        Assert.Equal(
            "chat 42",
            await archiver.Database.ScalarAsync<string>("SELECT string_agg(source || ' ' || requests, ', ') FROM archiver.store_requests")
        );
    }

    [Fact]
    public async Task Status_shows_what_is_kept_and_asked_for_and_with_prices_what_that_costs()
    {
        await using var archiver = await ArchivedAsync(idle: 4);
        var bytes = await archiver.Database.ScalarAsync<long>("SELECT sum(length)::bigint FROM archiver.objects");

        var plain = Cost(await archiver.RunAsync("status", "--json"));
        Assert.Equal((bytes, 4), (plain.GetProperty("bytes").GetInt64(), plain.GetProperty("objects").GetInt32()));
        // Each session is put and read back; what the probes ask comes on top.
        var requests = plain.GetProperty("requests").GetInt64();
        Assert.InRange(requests, 8, 60);
        Assert.Equal(JsonValueKind.Null, plain.GetProperty("storage_a_month").ValueKind);
        Assert.Matches(@"kept: \S+ \w+ in 4 objects; \d+ requests since \d{4}-\d\d-\d\d\n", (await archiver.RunAsync("status")).Output);

        archiver
            .With("Cost:PricePerGBMonth", "1000000")
            .With("Cost:PricePer1000Requests", "5")
            .With("Cost:Currency", "EUR")
            .With("Http:ApiKey", HttpFixture.Key);
        var priced = Cost(await archiver.RunAsync("status", "--json"));
        Assert.Equal(
            (Math.Round(bytes / 1000m, 4), Math.Round(requests * 0.005m, 4)),
            (priced.GetProperty("storage_a_month").GetDecimal(), priced.GetProperty("requests_in_all").GetDecimal())
        );
        var line = FormattableString.Invariant($"about {bytes / 1000m:0.00} EUR a month");
        Assert.Contains(line, (await archiver.RunAsync("status")).Output, StringComparison.Ordinal);
        await using var worker = await RunningWorker.InvokeAsync(archiver, Token);
        Assert.Contains(line, await ReadAsync(worker, "/"), StringComparison.Ordinal);
        Assert.Matches($"archiver_kept_size_bytes{{source=\"main\"}} {bytes}\n", await ReadAsync(worker, "/metrics"));
    }

    private async Task<Installation> ArchivedAsync(int idle, int young = 0)
    {
        var archiver = await Installation.CreateAsync(servers, Token, idle: idle, young: young);
        archiver.With("Sources:main:Policies:idle:Cron", EveryYear);
        var archived = await archiver.RunAsync("archive");
        Assert.True(archived.ExitCode == 0, archived.Error);
        return archiver;
    }

    private static List<JsonElement> Events(RunningWorker worker, int id) =>
        [.. worker.Events.Where(e => e.TryGetProperty("@i", out var i) && i.GetInt32() == id)];

    private static async Task<string> DamagedAsync(Installation archiver) =>
        await archiver.Database.ScalarAsync<string>(
            "SELECT string_agg(problem || ' ' || n, ', ' ORDER BY problem) FROM (SELECT problem, count(*) AS n FROM archiver.damages GROUP "
                + "BY problem) AS d"
        ) ?? "";

    private static async Task<string> LedgerAsync(Installation archiver) =>
        await archiver.Database.CopyOutAsync("SELECT * FROM archiver.archives ORDER BY id")
        + await archiver.Database.CopyOutAsync("SELECT * FROM archiver.objects ORDER BY id");

    private static Task<long> JobsAsync(Installation archiver) =>
        archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver_quartz.qrtz_triggers WHERE trigger_name = 'verify'");

    private static JsonElement Proof(ProcessResult status) =>
        Assert.Single(JsonDocument.Parse(status.Output).RootElement[0].GetProperty("proofs").EnumerateArray());

    private static JsonElement Cost(ProcessResult status) => JsonDocument.Parse(status.Output).RootElement[0].GetProperty("cost");

    private static async Task<string> ReadAsync(RunningWorker worker, string path)
    {
        using var response = await worker.SendAsync(HttpFixture.Bearer(HttpMethod.Get, path), Token);
        return await response.Content.ReadAsStringAsync(Token);
    }

    private static Task LockAsync(NpgsqlConnection connection, string function) =>
        ExecuteAsync(connection, $"SELECT {function}({SourceLockKey.For("main", shard: 0).Value})");

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Token);
    }
}
