using Archiver.Testing;
using Archiver.Testing.Proof;
using static Archiver.Worker.Tests.Query.Queries;

namespace Archiver.Worker.Tests.Query;

/// <summary>Which archives a query reads, and what is noted of it.</summary>
public sealed class QueryChoiceTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Shows_the_newest_generation_unless_all_are_wanted()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 0, messages: 2);
        archiver.With("Sources:main:Policies:idle:RestoreGrace", "0s");
        await archiver.RunAsync("archive");
        Assert.Equal(0, (await archiver.RunAsync("restore", "--from", "2000-01-01")).ExitCode);
        await archiver.Database.ExecuteAsync("UPDATE chat_messages SET content = 'second life'");
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);

        Assert.Equal(
            ["""{"n":3,"g":2,"c":"second life"}"""],
            await QueryAsync(archiver, "SELECT count(DISTINCT session_id) AS n, min(generation) AS g, min(content) AS c FROM messages")
        );
        Assert.Equal(
            ["""{"generation":1,"n":3}""", """{"generation":2,"n":3}"""],
            await QueryAsync(archiver, "SELECT generation, count(*) AS n FROM sessions GROUP BY ALL ORDER BY 1", "--all-generations")
        );
    }

    [Fact]
    public async Task Has_empty_views_where_nothing_matches()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1);

        var nothing = await archiver.RunAsync("query", "SELECT count(content) AS n FROM messages", "--json");

        Assert.Equal((0, "{\"n\":0}\n"), (nothing.ExitCode, nothing.Output));
        Assert.Contains("No archive matches.", nothing.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Notes_who_read_which_archives_and_not_what_was_asked()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 6, young: 0);
        await archiver.RunAsync("archive");
        var session = await archiver.Database.ScalarAsync<string>("SELECT session_id FROM archiver.archives WHERE id = 4");

        var result = await archiver.RunAsync("query", $"SELECT 'secret-of-the-question' FROM sessions WHERE session_id = '{session}'");

        Assert.Equal(0, result.ExitCode);
        Assert.Equal(
            $"{Environment.UserName}@{Environment.MachineName} query main {{[4,5)}} 1",
            await archiver.Database.ScalarAsync<string>(
                "SELECT concat_ws(' ', who, action, source, archives, counts ->> 'archives') FROM "
                    + "archiver.audit WHERE archives @> 4::bigint"
            )
        );
        Assert.DoesNotContain(
            "secret-of-the-question",
            await archiver.Database.CopyOutAsync("SELECT * FROM archiver.audit"),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("secret-of-the-question", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Session")]
    [InlineData("Bundle")]
    public async Task Fetches_one_users_documents_alone(string layout)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 60, young: 0, messages: 2);
        archiver.With("Storage:Layout", layout);
        await archiver.RunAsync("archive");
        await using var proxy = new FaultProxy(servers.S3.Endpoint, (_, _) => StoreFault.None);
        archiver.With("Storage:Endpoint", proxy.Endpoint.ToString());
        var user = (
            await archiver.Database.ScalarAsync<string>("SELECT user_id FROM archiver.archives GROUP BY 1 ORDER BY count(*), 1 LIMIT 1")
        )!;
        var sessions = await archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM archiver.archives WHERE user_id = '{user}'");

        async Task<(string Answer, int Fetched)> AskAsync(string sql, params string[] options)
        {
            var before = proxy.Requests.Count;
            var answer = Assert.Single(await QueryAsync(archiver, sql, options));
            return (
                answer,
                proxy
                    .Requests.Skip(before)
                    .Count(r =>
                        r.Method == "GET"
                        && r.Path.Contains("json", StringComparison.Ordinal)
                        && !r.Path.Contains(".archiver", StringComparison.Ordinal)
                    )
            );
        }
        var byOption = await AskAsync("SELECT count(*) AS n FROM messages", "--user", user);
        var bySql = await AskAsync($"SELECT count(*) AS n FROM sessions WHERE user_id = '{user}'");
        var byJoin = await AskAsync($"SELECT count(*) AS n FROM messages m JOIN sessions s USING (session_id) WHERE s.user_id = '{user}'");

        Assert.Equal(
            ($"{{\"n\":{2 * sessions}}}", $"{{\"n\":{sessions}}}", $"{{\"n\":{2 * sessions}}}"),
            (byOption.Answer, bySql.Answer, byJoin.Answer)
        );
        Assert.All([byOption, bySql, byJoin], a => Assert.InRange(a.Fetched, 1, (int)sessions));
        Assert.True(sessions < 20, "Too many to tell.");
    }
}
