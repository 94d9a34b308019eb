using System.Text.Json;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>The verbs that compare bucket, ledger and rows: verify, reconcile, ledger rebuild.</summary>
public sealed class LedgerVerbTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Verify_reads_archives_back_and_names_what_is_wrong()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 6, young: 0);
        await archiver.RunAsync("archive");
        var keys = (await archiver.Database.CopyOutAsync("SELECT key FROM archiver.objects ORDER BY key", Token)).TrimEnd().Split('\n');

        var right = await archiver.RunAsync("verify", "--all", "--restore-drill", "2");
        await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, keys[0], Token);
        await archiver.Bucket.PutRawAsync(keys[1], [1, 2, 3], Token);
        var wrong = await archiver.RunAsync("verify", "--all");
        var json = await archiver.RunAsync("verify", "--sample", "6", "--json");

        Assert.Equal(0, right.ExitCode);
        Assert.Contains("main: 6 archives read, 6 right, 2 sessions restored on trial", right.Output, StringComparison.Ordinal);
        Assert.Equal(1, wrong.ExitCode);
        Assert.Contains("main: 6 archives read, 4 right", wrong.Output, StringComparison.Ordinal);
        Assert.Matches($"missing +[0-9a-f-]{{36}} +1 +{keys[0]}", wrong.Output);
        Assert.Equal(1, json.ExitCode);
        var report = Assert.Single(JsonDocument.Parse(json.Output).RootElement.EnumerateArray());
        Assert.Equal(
            [$"{keys[0]} missing", $"{keys[1]} unreadable"],
            report
                .GetProperty("problems")
                .EnumerateArray()
                .Select(p => $"{p.GetProperty("object_key")} {p.GetProperty("problem")}")
                .Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public async Task Reconcile_does_not_say_that_all_agrees_while_archives_are_unknown_since_a_rebuild()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 0);
        await archiver.RunAsync("archive");
        var ids = (await archiver.Database.CopyOutAsync("SELECT session_id FROM archiver.archives ORDER BY 1 LIMIT 2", Token))
            .TrimEnd()
            .Split('\n');
        Assert.Equal(0, (await archiver.RunAsync(["restore", .. ids])).ExitCode);
        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE", Token);
        Assert.Equal(0, (await archiver.RunAsync("ledger", "rebuild")).ExitCode);
        await archiver.Database.ExecuteAsync(
            $"DELETE FROM chat_messages WHERE session_id = '{ids[1]}'; DELETE FROM chat_sessions WHERE session_id = '{ids[1]}'",
            Token
        );

        var seen = await archiver.RunAsync("reconcile");
        var settled = await archiver.RunAsync("reconcile", "--fix", "--yes");

        Assert.Equal(1, seen.ExitCode);
        Assert.Contains("1 session live and archived; with --fix", seen.Output, StringComparison.Ordinal);
        Assert.Contains(
            "1 session restored or stored, and deleted by the application since; with --fix",
            seen.Output,
            StringComparison.Ordinal
        );
        Assert.Equal(0, settled.ExitCode);
        Assert.Equal(
            "archived\t1\nrestored\t1\nsuperseded\t1\n",
            await archiver.Database.CopyOutAsync("SELECT state, count(*) FROM archiver.archives GROUP BY 1 ORDER BY 1", Token)
        );
        Assert.Equal("main: bucket, ledger and rows agree\n", (await archiver.RunAsync("reconcile")).Output);
    }

    [Fact]
    public async Task Reconcile_reports_and_only_with_fix_and_yes_changes_the_ledger()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 0);
        await archiver.RunAsync("archive");
        var clean = await archiver.RunAsync("reconcile");
        var id = await archiver.Database.ScalarAsync<string>("SELECT min(session_id) FROM archiver.archives", Token);
        await archiver.Database.ExecuteAsync(
            $"DELETE FROM archiver.archives WHERE session_id = '{id}'; DELETE FROM archiver.objects WHERE members = ARRAY['{id}']",
            Token
        );
        const string ledger = "SELECT count(*) FROM archiver.archives";

        var seen = await archiver.RunAsync("reconcile", "--json");
        var untouched = await archiver.Database.ScalarAsync<long>(ledger, Token);
        var settled = await archiver.RunAsync("reconcile", "--fix", "--yes");

        Assert.Equal((0, "main: bucket, ledger and rows agree\n"), (clean.ExitCode, clean.Output));
        Assert.Equal((1, 2L), (seen.ExitCode, untouched));
        Assert.Contains(
            id!,
            Assert.Single(JsonDocument.Parse(seen.Output).RootElement[0].GetProperty("unrecorded").EnumerateArray()).GetString(),
            StringComparison.Ordinal
        );
        Assert.Equal(0, settled.ExitCode);
        Assert.Contains("1 object adopted", settled.Output, StringComparison.Ordinal);
        Assert.Equal(3, await archiver.Database.ScalarAsync<long>(ledger, Token));
        Assert.Equal(1, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.audit WHERE action = 'reconcile'", Token));
        Assert.Equal(0, (await archiver.RunAsync("reconcile")).ExitCode);
    }

    [Fact]
    public async Task A_dropped_ledger_is_rebuilt_from_the_bucket_and_restores_what_it_restored_before()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 5, young: 1);
        var rows = await archiver.RowsAsync();
        await archiver.RunAsync("archive");
        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE", Token);

        var rebuilt = await archiver.RunAsync("ledger", "rebuild");
        var again = await archiver.RunAsync("ledger", "rebuild", "--json");
        var restored = await archiver.RunAsync("restore", "--from", "2000-01-01");

        Assert.Equal((0, 0, 0), (rebuilt.ExitCode, again.ExitCode, restored.ExitCode));
        Assert.Contains("main: 5 objects and 1 manifest read, 5 archives added to the ledger", rebuilt.Output, StringComparison.Ordinal);
        Assert.Contains("audit are not in the bucket", rebuilt.Output, StringComparison.Ordinal);
        Assert.Equal(0, JsonDocument.Parse(again.Output).RootElement[0].GetProperty("archives").GetInt32());
        Assert.Equal(rows, await archiver.RowsAsync());
        Assert.Equal(2, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.audit WHERE action = 'rebuild'", Token));
    }
}
