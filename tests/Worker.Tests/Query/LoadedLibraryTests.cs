using System.Net;
using System.Text.RegularExpressions;
using Archiver.Testing;

namespace Archiver.Worker.Tests.Query;

/// <summary>What queries need costs the always-on worker nothing.</summary>
public sealed class LoadedLibraryTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Is_loaded_by_a_query_and_not_by_the_worker_or_its_search()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 0);
        await archiver.RunAsync("archive");
        archiver.With("Http:ApiKey", "0123456789abcdef");
        await using var process = archiver.Start("run");
        await process.WaitForTextAsync("\"@i\":6000", Token);
        using var http = new HttpClient { BaseAddress = new Uri(Regex.Match(process.Error, "\"Urls\":\"([^\"]+)").Groups[1].Value) };
        http.DefaultRequestHeaders.Authorization = new("Bearer", "0123456789abcdef");
        using var form = new FormUrlEncodedContent([new("text", "e")]);
        using var found = await http.PostAsync("/find", form, Token);
        Assert.Equal(HttpStatusCode.OK, found.StatusCode);
        var loaded = await File.ReadAllTextAsync($"/proc/{process.Id}/maps", Token);

        await using var query = archiver.Start(
            "query",
            "SELECT sum(hash(a.i, b.i)) FROM range(100000000) AS a (i), range(100000) AS b (i)"
        );
        await Eventually.TrueAsync(
            async () => (await File.ReadAllTextAsync($"/proc/{query.Id}/maps", Token)).Contains("libduckdb", StringComparison.Ordinal),
            Token
        );

        Assert.Contains("/archiver", loaded, StringComparison.Ordinal);
        Assert.DoesNotContain("duckdb", loaded, StringComparison.OrdinalIgnoreCase);
    }
}
