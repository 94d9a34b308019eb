using System.Net;
using Archiver.Testing;
using Archiver.Worker.Tests.Http;

namespace Archiver.Worker.Tests.Pages;

/// <summary>The pages as HTML: what a person finds without knowing an id.</summary>
public sealed class BrowseTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_first_start_says_what_to_do_next_and_several_sources_have_an_overview()
    {
        await using var archiver = await CreateAsync();
        await using var other = await servers.CreateSampleAsync("ended-at", 2, 1, 1, Token);
        archiver
            .With("Sources:support:ConnectionString", other.ConnectionString)
            .With("Sources:support:Preset", "ended-at")
            .With("Sources:support:Prefix", "support")
            .With("Sources:support:Policies:old:Action", "Archive")
            .With("Sources:support:Policies:old:IdleFor", "90d");
        await using var worker = await RunningWorker.InvokeAsync(archiver, Token);
        await Eventually.TrueAsync(() => worker.IsReadyAsync(Token), Token);

        var page = await PageAsync(worker, "/");

        Assert.Contains("archiver plan --source main", page, StringComparison.Ordinal);
        Assert.Contains("archiver archive --source support --max-sessions 10", page, StringComparison.Ordinal);
        Assert.Contains("""<a href="#source-support">support</a>""", page, StringComparison.Ordinal);
        Assert.Contains("Nothing is archived yet", await PageAsync(worker, "/search"), StringComparison.Ordinal);

        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        Assert.DoesNotContain("What to do next", await PageAsync(worker, "/?done=paused"), StringComparison.Ordinal);
        Assert.Contains("5 archives", await PageAsync(worker, "/search"), StringComparison.Ordinal);
        var support = await PageAsync(worker, "/search?source=support&policy=old");
        Assert.Contains("2 archives", support, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Archives_are_listed_with_their_titles_and_filtered_by_date_state_and_policy()
    {
        await using var archiver = await CreateAsync();
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        await archiver.Database.ExecuteAsync(
            """
            UPDATE archiver.archives SET keep = '{"session_title": "The <b>oldest</b> of all"}', session_last_activity = '2024-02-03'
              WHERE id = (SELECT min(id) FROM archiver.archives);
            UPDATE archiver.archives SET session_last_activity = '2025-02-03' WHERE id <> (SELECT min(id) FROM archiver.archives);
            UPDATE archiver.archives SET state = 'restored', policy = 'former' WHERE id = (SELECT max(id) FROM archiver.archives)
            """
        );
        await using var worker = await RunningWorker.InvokeAsync(archiver, Token);
        await Eventually.TrueAsync(() => worker.IsReadyAsync(Token), Token);

        var all = await PageAsync(worker, "/search");
        Assert.Contains("3 archives", all, StringComparison.Ordinal);
        Assert.Contains("The &lt;b&gt;oldest&lt;/b&gt; of all", all, StringComparison.Ordinal);
        var old = await PageAsync(worker, "/search?q=&source=&policy=&state=&from=2024-01-01&to=2024-12-31");
        Assert.Contains("1 archive.", old, StringComparison.Ordinal);
        Assert.Contains("oldest", old, StringComparison.Ordinal);
        Assert.Contains("1 archive.", await PageAsync(worker, "/search?state=restored"), StringComparison.Ordinal);
        Assert.Contains("2 archives.", await PageAsync(worker, "/search?policy=idle"), StringComparison.Ordinal);
        Assert.Contains(
            "No archive matches the filter",
            await PageAsync(worker, "/search?policy=idle&state=restored"),
            StringComparison.Ordinal
        );
        Assert.Equal(
            HttpStatusCode.BadRequest,
            (await worker.SendAsync(HttpFixture.Bearer(HttpMethod.Get, "/search?state=gone"), Token)).StatusCode
        );
        Assert.Contains("KEPT", (await archiver.RunAsync("list")).Output, StringComparison.Ordinal);
        Assert.Contains(
            "\"keep\":{\"session_title\":\"The <b>oldest</b> of all\"}",
            (await archiver.RunAsync("list", "--json", "--policy", "main/idle")).Output,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task An_id_is_searched_as_it_was_typed_and_without_the_blanks_around_it()
    {
        await using var archiver = await Installation.CreateAsync(
            servers,
            "CREATE TABLE chats (id text PRIMARY KEY, seen timestamptz NOT NULL); CREATE INDEX ON chats (seen, id); INSERT INTO "
                + "chats VALUES (' a', '2020-01-01'), ('b', '2020-01-01')",
            Token
        );
        archiver
            .With("Http:ApiKey", HttpFixture.Key)
            .With("Sources:main:Policies:idle:Cron", "0 0 2 1 1 ?")
            .With("Sources:main:Tables:Session:Table", "chats")
            .With("Sources:main:Tables:Session:Key", "id")
            .With("Sources:main:Tables:Session:Activity:0", "seen");
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        await using var worker = await RunningWorker.InvokeAsync(archiver, Token);
        await Eventually.TrueAsync(() => worker.IsReadyAsync(Token), Token);

        Assert.Contains("1 archive of <q>", await PageAsync(worker, "/search?q=%20a"), StringComparison.Ordinal);
        Assert.Contains("1 archive of <q>", await PageAsync(worker, "/search?q=%20b%20"), StringComparison.Ordinal);
    }

    private async Task<Installation> CreateAsync() =>
        (await Installation.CreateAsync(servers, Token, idle: 3, young: 1, messages: 1))
            .With("Http:ApiKey", HttpFixture.Key)
            .With("Sources:main:Policies:idle:Cron", "0 0 2 1 1 ?")
            .With("Sources:main:Keep:0", "session_title");

    private static async Task<string> PageAsync(RunningWorker worker, string path)
    {
        var answer = await worker.SendAsync(HttpFixture.Bearer(HttpMethod.Get, path), Token);
        var html = await answer.Content.ReadAsStringAsync(Token);
        Assert.True(answer.IsSuccessStatusCode, html);
        return html;
    }
}
