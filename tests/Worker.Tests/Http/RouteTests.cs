using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Archiver.Testing;

namespace Archiver.Worker.Tests.Http;

/// <summary>What the routes for programs do.</summary>
public sealed class RouteTests(HttpFixture fixture, TestServers servers) : IClassFixture<HttpFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Lists_archives_by_user_and_by_session_page_by_page()
    {
        var first = await ArrayAsync("/archives?limit=5");
        var rest = await ArrayAsync($"/archives?limit=100&after={first[^1].GetProperty("id")}");
        var user = first[0].GetProperty("user_id").GetString()!;

        Assert.Equal(fixture.Archived, first.Concat(rest).Select(a => a.GetProperty("session_id").GetString()));
        Assert.All(await ArrayAsync($"/archives?user={Uri.EscapeDataString(user)}"), a =>
            Assert.Equal(user, a.GetProperty("user_id").GetString())
        );
        Assert.Equal(
            fixture.Archived[3],
            Assert.Single(await ArrayAsync($"/archives?id={fixture.Archived[3]}")).GetProperty("session_id").GetString()
        );
        Assert.Empty(await ArrayAsync("/archives?state=restored&user=nobody"));
    }

    [Theory]
    [InlineData("GET", "/archives?usr=4711", "no query parameter 'usr'; did you mean 'user'?")]
    [InlineData("GET", "/archives?state=gone", "state must be one of stored, archived")]
    [InlineData("GET", "/runs?sorce=main", "did you mean 'source'?")]
    [InlineData("GET", "/archives/some-id?generaton=2", "did you mean 'generation'?")]
    [InlineData("POST", "/archives/some-id/restore?on_conflict=replace", "no query parameter 'on_conflict'. It takes none.")]
    [InlineData("GET", "/search?query=x", "no query parameter 'query'")]
    public async Task A_query_parameter_that_a_route_does_not_know_is_refused(string method, string path, string said)
    {
        using var answer = await fixture.Worker.SendAsync(HttpFixture.Bearer(new HttpMethod(method), path), Token);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains(
            said,
            JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Token)).RootElement.GetProperty("error").GetString(),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("Session")]
    [InlineData("Bundle")]
    public async Task Sends_the_stored_gzip_untouched_and_json_to_a_client_without_gzip(string layout)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 4, young: 0);
        archiver.With("Storage:Layout", layout).With("Http:ApiKey", HttpFixture.Key).With("Sources:main:Policies:idle:Cron", "0 0 2 1 1 ?");
        await archiver.RunAsync("archive");
        await using var worker = await RunningWorker.InvokeAsync(archiver, Token);
        foreach (var archive in JsonDocument.Parse((await archiver.RunAsync("list", "--json")).Output).RootElement.EnumerateArray())
        {
            var id = archive.GetProperty("session_id").GetString()!;
            var stored = await archiver.Bucket.GetRawAsync(archive.GetProperty("object").GetString()!, Token);
            var member = stored.AsSpan(archive.GetProperty("offset").GetInt32(), archive.GetProperty("length").GetInt32()).ToArray();

            var compressed = HttpFixture.Bearer(HttpMethod.Get, $"/archives/{id}");
            compressed.Headers.AcceptEncoding.ParseAdd("gzip");
            using var asStored = await worker.SendAsync(compressed, Token);
            using var plain = await worker.SendAsync(HttpFixture.Bearer(HttpMethod.Get, $"/archives/{id}"), Token);
            using var asChat = await worker.SendAsync(HttpFixture.Bearer(HttpMethod.Get, $"/chat/archived/{id}"), Token);
            var known = HttpFixture.Bearer(HttpMethod.Get, $"/archives/{id}");
            known.Headers.IfNoneMatch.Add(plain.Headers.ETag!);

            Assert.Equal("gzip", Assert.Single(asStored.Content.Headers.ContentEncoding));
            Assert.Equal(member, await asStored.Content.ReadAsByteArrayAsync(Token));
            using var gzip = new GZipStream(new MemoryStream(member), CompressionMode.Decompress);
            Assert.Equal(await new StreamReader(gzip).ReadToEndAsync(Token), await plain.Content.ReadAsStringAsync(Token));
            Assert.Equal(await plain.Content.ReadAsStringAsync(Token), await asChat.Content.ReadAsStringAsync(Token));
            Assert.Equal(HttpStatusCode.NotModified, (await worker.SendAsync(known, Token)).StatusCode);
        }
    }

    [Fact]
    public async Task Restores_a_session_says_so_and_refuses_what_is_there()
    {
        var id = fixture.Archived[^1];
        using var dry = await fixture.Worker.SendAsync(
            HttpFixture.Bearer(HttpMethod.Post, $"/archives/{id}/restore", """{"dry_run": true}"""),
            Token
        );
        Assert.Equal(0, await LiveAsync(id));
        using var restored = await fixture.Worker.SendAsync(HttpFixture.Bearer(HttpMethod.Post, $"/archives/{id}/restore"), Token);
        using var again = await fixture.Worker.SendAsync(
            HttpFixture.Bearer(HttpMethod.Post, $"/archives/{id}/restore", """{"on_conflict": "fail"}"""),
            Token
        );
        using var absent = await fixture.Worker.SendAsync(HttpFixture.Bearer(HttpMethod.Post, "/archives/absent/restore"), Token);

        Assert.Equal(
            (HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.NotFound),
            (dry.StatusCode, restored.StatusCode, absent.StatusCode)
        );
        var report = JsonDocument.Parse(await restored.Content.ReadAsStringAsync(Token)).RootElement;
        Assert.Equal(
            (1, 7, "done"),
            (report.GetProperty("restored").GetInt32(), report.GetProperty("rows").GetInt32(), report.GetProperty("outcome").GetString())
        );
        Assert.Equal(1, await LiveAsync(id));
        Assert.Equal(6, await fixture.Archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM chat_messages WHERE session_id = '{id}'"));
        Assert.Equal(HttpStatusCode.Conflict, again.StatusCode);
        Assert.True(
            await fixture.Archiver.Database.ScalarAsync<bool>(
                "SELECT bool_and(who LIKE 'HTTP on %') FROM archiver.audit WHERE action = 'restore'"
            )
        );
        Assert.Contains(await ArrayAsync("/runs?policy=restore"), r =>
            r.GetProperty("action").GetString() == "restore" && r.GetProperty("done").GetInt32() == 1
        );
    }

    [Theory]
    [InlineData("2")]
    [InlineData("99")]
    [InlineData("-1")]
    [InlineData("\"2\"")]
    [InlineData("\"fail, replace\"")]
    public async Task A_conflict_mode_is_one_of_its_names_and_never_a_number(string mode)
    {
        using var answer = await fixture.Worker.SendAsync(
            HttpFixture.Bearer(HttpMethod.Post, "/archives/absent/restore", $$"""{"on_conflict": {{mode}}}"""),
            Token
        );

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    // A form of another site's page can send these types without asking, and the browser adds the key that it knows.
    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("multipart/form-data; boundary=x")]
    public async Task A_body_that_is_not_sent_as_json_is_not_read(string type)
    {
        const string runs = "SELECT count(*) FROM archiver.runs";
        var (id, before) = (fixture.Archived[1], await fixture.Archiver.Database.ScalarAsync<long>(runs));
        foreach (var (path, body) in new[] { ($"/archives/{id}/restore", "{}"), ("/runs", """{"policy": "main/idle"}""") })
        {
            var request = HttpFixture.Bearer(HttpMethod.Post, path);
            request.Content = new StringContent(body) { Headers = { ContentType = MediaTypeHeaderValue.Parse(type) } };
            using var answer = await fixture.Worker.SendAsync(request, Token);
            Assert.Equal((path, HttpStatusCode.UnsupportedMediaType), (path, answer.StatusCode));
        }
        Assert.Equal(0, await LiveAsync(id));
        Assert.Equal(before, await fixture.Archiver.Database.ScalarAsync<long>(runs));
    }

    private Task<long> LiveAsync(string id) =>
        fixture.Archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM chat_sessions WHERE session_id = '{id}'");

    private async Task<List<JsonElement>> ArrayAsync(string path)
    {
        using var response = await fixture.Worker.SendAsync(HttpFixture.Bearer(HttpMethod.Get, path), Token);
        var body = await response.Content.ReadAsStringAsync(Token);
        Assert.True(response.StatusCode == HttpStatusCode.OK, body);
        return [.. JsonDocument.Parse(body).RootElement.EnumerateArray()];
    }
}
