using System.Net;
using Archiver.Testing;

namespace Archiver.Worker.Tests.Http;

/// <summary>An id that is one session's key and another's external id.</summary>
public sealed class KeyBeforeExternalIdTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_id_that_is_ones_key_shows_and_restores_no_session_of_that_external_id()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 0, young: 0);
        await archiver.Database.ExecuteAsync(
            """
            CREATE TABLE chat (id text PRIMARY KEY, ext text UNIQUE, updated_at timestamptz NOT NULL);
            CREATE INDEX ON chat (updated_at, id);
            INSERT INTO chat VALUES ('A', 'first', now() - interval '200 days'), ('B', 'A', now() - interval '200 days'),
              ('C', 'young', now()), ('D', 'C', now() - interval '200 days'), ('E', 'alone', now() - interval '200 days');
            """,
            Token
        );
        RestoredChat.Chat(archiver).With("Sources:main:Tables:Session:ExternalId", "ext");
        archiver.With("Http:ApiKey", HttpFixture.Key).With("Sources:main:Policies:idle:Cron", "0 0 2 1 1 ?");
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("restore", "B")).ExitCode);
        await archiver.Database.ExecuteAsync("UPDATE archiver.archives SET restored_at = now() - interval '60 days'", Token);
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        await using var worker = await RunningWorker.InvokeAsync(archiver, Token);
        async Task<HttpStatusCode> AskAsync(string path)
        {
            using var answer = await worker.SendAsync(HttpFixture.Bearer(HttpMethod.Get, path), Token);
            return answer.StatusCode;
        }

        Assert.Equal(HttpStatusCode.OK, await AskAsync("/archives/B?generation=2"));
        Assert.Equal(HttpStatusCode.OK, await AskAsync("/archives/A?generation=1"));
        Assert.Equal(HttpStatusCode.NotFound, await AskAsync("/archives/A?generation=2"));
        Assert.Equal(HttpStatusCode.NotFound, await AskAsync("/archives/C"));
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (await AskAsync("/archives/D"), await AskAsync("/archives/alone")));
        Assert.Equal(1, (await archiver.RunAsync("show", "C")).ExitCode);
        Assert.Equal(1, (await archiver.RunAsync("restore", "C", "--on-conflict", "skip")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("restore", "alone")).ExitCode);
        Assert.Equal("C\nE\n", await archiver.Database.CopyOutAsync("SELECT id FROM chat ORDER BY 1"));
    }
}
