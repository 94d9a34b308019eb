using System.Net;

namespace Archiver.Worker.Tests.Http;

/// <summary>Who reads a document is noted before it is read, and what cannot be noted is not shown.</summary>
public sealed class ReadAuditTests(HttpFixture fixture) : IClassFixture<HttpFixture>
{
    private static readonly string Person = $"{Environment.UserName}@{Environment.MachineName}";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>The verb, or the route without the session's id; and who reads by it.</summary>
    public static TheoryData<string, string> Ways =>
        new()
        {
            { "show", Person },
            { "/archives/", $"HTTP on {Environment.MachineName}" },
            { "/chat/archived/", $"HTTP on {Environment.MachineName}" },
            { "/transcript?id=", $"status page on {Environment.MachineName}" },
        };

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Whoever_reads_a_document_is_noted_with_the_archive(string way, string who)
    {
        var id = fixture.Archived[2];
        var archive = await fixture.Archiver.Database.ScalarAsync<long>($"SELECT id FROM archiver.archives WHERE session_id = '{id}'");
        var before = await fixture.Archiver.Database.ScalarAsync<long>("SELECT coalesce(max(id), 0) FROM archiver.audit");

        var (done, text) = await ReadAsync(way, id);

        Assert.True(done, text);
        Assert.Contains("hacked", text, StringComparison.Ordinal);
        Assert.Equal(
            $"{who} show main {{[{archive},{archive + 1})}}\n",
            await fixture.Archiver.Database.CopyOutAsync(
                $"SELECT concat_ws(' ', who, action, source, archives) FROM archiver.audit WHERE id > {before}"
            )
        );
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Nobody_is_shown_what_cannot_be_noted(string way, string who)
    {
        await fixture.Archiver.Database.ExecuteAsync(
            """
            CREATE FUNCTION public.deny() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no more'; END $$;
            CREATE TRIGGER deny BEFORE INSERT ON archiver.audit FOR EACH ROW EXECUTE FUNCTION public.deny();
            """
        );
        try
        {
            var (done, text) = await ReadAsync(way, fixture.Archived[2]);

            Assert.False(done, $"{who}: {text}");
            Assert.DoesNotContain("hacked", text, StringComparison.Ordinal);
            Assert.True(way != "show" || text.Length == 0, text);
        }
        finally
        {
            await fixture.Archiver.Database.ExecuteAsync("DROP FUNCTION public.deny() CASCADE");
        }
    }

    private async Task<(bool Done, string Text)> ReadAsync(string way, string id)
    {
        if (way == "show")
        {
            var result = await fixture.Archiver.RunAsync(way, id);
            return (result.ExitCode == 0, result.Output);
        }
        using var answer = await fixture.Worker.SendAsync(HttpFixture.Bearer(HttpMethod.Get, way + id), Token);
        return (answer.StatusCode == HttpStatusCode.OK, await answer.Content.ReadAsStringAsync(Token));
    }
}
