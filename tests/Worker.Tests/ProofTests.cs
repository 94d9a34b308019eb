using System.Text.Json;
using Archiver.Testing;
using Archiver.Worker.Tests.Http;

namespace Archiver.Worker.Tests;

/// <summary>What the worker verifies, rehearses and reconciles by itself, and how anybody learns of it.</summary>
public sealed class ProofTests(TestServers servers) : ProofScenario(servers)
{
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

    private static async Task<string> DamagedAsync(Installation archiver) =>
        await archiver.Database.ScalarAsync<string>(
            "SELECT string_agg(problem || ' ' || n, ', ' ORDER BY problem) FROM (SELECT problem, count(*) AS n FROM archiver.damages GROUP "
                + "BY problem) AS d"
        ) ?? "";
}
