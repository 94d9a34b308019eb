using System.Net;
using Archiver.Testing;

namespace Archiver.Worker.Tests.Query;

/// <summary>The status page's search in what was written.</summary>
public sealed class FindPageTests(TestServers servers)
{
    private const string Key = "0123456789abcdef";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Finds_marks_and_encodes_with_its_filters_and_behind_the_key()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 6, young: 0, messages: 2);
        await archiver.Database.ExecuteAsync(
            "UPDATE chat_messages SET content = '<script>alert(1)</script> the NEEDLE & more' WHERE id IN "
                + "(SELECT min(id) FROM chat_messages GROUP BY session_id)"
        );
        await archiver.With("Http:ApiKey", Key).RunAsync("archive");
        var user = (await archiver.Database.ScalarAsync<string>("SELECT user_id FROM archiver.archives ORDER BY id LIMIT 1"))!;
        var lines = await archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM archiver.archives WHERE user_id = '{user}'");
        await using var worker = await RunningWorker.InvokeAsync(archiver, Token);
        using var http = new HttpClient { BaseAddress = worker.Address };

        using var locked = await http.PostAsync("/find", Form(("text", "needle")), Token);
        http.DefaultRequestHeaders.Authorization = new("Bearer", Key);
        var empty = await http.GetStringAsync("/find", Token);
        var all = await AskAsync(http, ("text", "needle"));
        var ofUser = await AskAsync(http, ("text", "needle"), ("user", user), ("from", "2000-01-01"), ("policy", "idle"));
        var none = await AskAsync(http, ("text", "haystack"));
        var blank = await AskAsync(http, ("text", " "));
        await archiver.Database.ExecuteAsync("UPDATE archiver.archives SET byte_length = 20000000");
        var large = await AskAsync(http, ("text", "needle"));
        using var wrong = await http.PostAsync("/find", Form(("text", "needle"), ("from", "yesterday")), Token);

        Assert.Equal(HttpStatusCode.Unauthorized, locked.StatusCode);
        Assert.Contains("action=\"/find\" method=\"post\"", empty, StringComparison.Ordinal);
        Assert.Contains("&lt;script&gt;alert(1)&lt;/script&gt; the <mark>NEEDLE</mark> &amp; more", all, StringComparison.Ordinal);
        Assert.Contains("6 lines of 6 archives have this text", all, StringComparison.Ordinal);
        Assert.Contains("/transcript?source=main&amp;id=", all, StringComparison.Ordinal);
        Assert.Contains($"{lines} line", ofUser, StringComparison.Ordinal);
        Assert.Contains("No message of 6 archives has this text.", none, StringComparison.Ordinal);
        Assert.Contains("There is nothing to look for.", blank, StringComparison.Ordinal);
        Assert.Contains("That would read 6 archives, 120.0 MB, and 32.0 MB are the most here.", large, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
        Assert.Equal(
            3,
            await archiver.Database.ScalarAsync<long>(
                "SELECT count(*) FROM archiver.audit WHERE action = 'search' AND who LIKE 'status page on %' AND archives IS NOT NULL"
            )
        );
        Assert.DoesNotContain("needle", worker.Log, StringComparison.OrdinalIgnoreCase);
    }

    private static async Task<string> AskAsync(HttpClient http, params (string, string)[] fields)
    {
        using var response = await http.PostAsync("/find", Form(fields), Token);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadAsStringAsync(Token);
    }

    private static FormUrlEncodedContent Form(params (string Name, string Value)[] fields) =>
        new(fields.Select(f => KeyValuePair.Create(f.Name, f.Value)));
}
