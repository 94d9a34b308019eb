using System.IO.Compression;
using System.Text.Json;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>The verbs that only read: plan before a run; list and show after it.</summary>
public sealed class ReadingVerbTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Plan_counts_and_lists_what_a_run_would_take_and_changes_nothing()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 12, young: 3, messages: 6);
        var migrated = await archiver.RunAsync("migrate");
        var before = await archiver.RowsAsync();

        var text = await archiver.RunAsync("plan", "--sessions", "5");
        var json = await archiver.RunAsync("plan", "--json");

        Assert.Equal((0, 0, 0), (migrated.ExitCode, text.ExitCode, json.ExitCode));
        Assert.Contains("main/idle (Archive): takes 12 of 15 sessions", text.Output, StringComparison.Ordinal);
        Assert.Contains("3 sessions left: too young", text.Output, StringComparison.Ordinal);
        Assert.Contains("and 7 more sessions", text.Output, StringComparison.Ordinal);
        var plan = Assert.Single(Parse(json.Output).EnumerateArray());
        Assert.Equal(
            (15, 12, 12 * 7),
            (plan.GetProperty("total").GetInt32(), plan.GetProperty("eligible").GetInt32(), plan.GetProperty("rows").GetInt32())
        );
        Assert.True(plan.GetProperty("bytes").GetInt64() > 0);
        var session = plan.GetProperty("sessions")[0];
        Assert.Equal(6, session.GetProperty("messages").GetInt32());
        Assert.True(session.GetProperty("inactive_for").GetDouble() > 90 * 86400);
        Assert.False(string.IsNullOrEmpty(session.GetProperty("user_id").GetString()));
        Assert.Equal(before, await archiver.RowsAsync());
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.runs"));
    }

    [Fact]
    public async Task List_filters_and_pages_through_the_ledger()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 10);
        await archiver.RunAsync("archive");

        var all = await ListAsync(archiver);
        var firstPage = await ListAsync(archiver, "--limit", "4");
        var secondPage = await ListAsync(archiver, "--limit", "100", "--after", firstPage[^1].GetProperty("id").ToString());
        var user = all[0].GetProperty("user_id").GetString()!;
        var ofUser = await ListAsync(archiver, "--user", user);
        var young = await ListAsync(archiver, "--from", $"{TimeProvider.System.GetUtcNow().AddDays(-90):yyyy-MM-dd'T'HH:mm:ss}Z");

        Assert.Equal(10, all.Count);
        Assert.Equal(all.Select(Id), firstPage.Concat(secondPage).Select(Id));
        Assert.Equal(4, firstPage.Count);
        Assert.NotEmpty(ofUser);
        Assert.All(ofUser, a => Assert.Equal(user, a.GetProperty("user_id").GetString()));
        Assert.Empty(young);
        Assert.Empty(await ListAsync(archiver, "--state", "restored"));
        Assert.Contains(Id(all[0]), (await archiver.RunAsync("list")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Show_prints_the_document_as_stored()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3);
        await archiver.RunAsync("archive");
        var archive = (await ListAsync(archiver))[0];

        var document = await archiver.RunAsync("show", Id(archive));
        var absent = await archiver.RunAsync("show", Id(archive), "--generation", "2");

        using var gzip = new GZipStream(
            new MemoryStream(await archiver.Bucket.GetRawAsync(archive.GetProperty("object").GetString()!, Token)),
            CompressionMode.Decompress
        );
        Assert.Equal(await new StreamReader(gzip).ReadToEndAsync(Token), document.Output);
        Assert.Equal(Id(archive), Parse(document.Output).GetProperty("session").GetProperty("session_id").GetString());
        Assert.Equal((1, ""), (absent.ExitCode, absent.Output));
        Assert.Contains("generation 2", absent.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Show_prints_no_stored_bytes_on_a_terminal()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        await archiver.RunAsync("archive");
        var id = await archiver.Database.ScalarAsync<string>("SELECT session_id FROM archiver.archives");
        await using var process = archiver.StartOnTerminal($"show {id} --raw");

        var result = await process.WaitForExitAsync(Token);

        Assert.Equal(2, result.ExitCode);
        Assert.Contains("--raw prints compressed bytes", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001f', result.Output);
    }

    [Fact]
    public async Task Show_refuses_a_damaged_object()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1);
        await archiver.RunAsync("archive");
        var archive = Assert.Single(await ListAsync(archiver));
        var key = archive.GetProperty("object").GetString()!;
        var bytes = await archiver.Bucket.GetRawAsync(key, Token);
        bytes[^10] ^= 1;
        await archiver.Bucket.PutRawAsync(key, bytes, Token);

        var result = await archiver.RunAsync("show", Id(archive));

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("damaged", result.Error, StringComparison.Ordinal);
    }

    private static async Task<List<JsonElement>> ListAsync(Installation archiver, params string[] filters)
    {
        var result = await archiver.RunAsync(["list", "--json", .. filters]);
        Assert.True(result.ExitCode == 0, result.Error);
        return [.. Parse(result.Output).EnumerateArray()];
    }

    private static JsonElement Parse(string json) => JsonDocument.Parse(json).RootElement;

    private static string Id(JsonElement archive) => archive.GetProperty("session_id").GetString()!;
}
