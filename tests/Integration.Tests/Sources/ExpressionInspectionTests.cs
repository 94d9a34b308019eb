using Archiver.Core.Settings;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Sources;

public sealed class ExpressionInspectionTests(TestServers servers, DatabaseFixture fixture) : InspectionTests(servers, fixture)
{
    [Theory]
    [InlineData("s.tokens > 10", "column s.tokens does not exist")]
    [InlineData("s.user_id", "must be type boolean")]
    [InlineData("s.user_id =", "syntax error")]
    [InlineData("is_demo(s.user_id)", "function is_demo(character varying) does not exist")]
    [InlineData("count(*) > 1", "aggregate functions are not allowed")]
    [InlineData("archived = $1", "it cannot have parameters such as $1")]
    [InlineData("true) OR (true", "syntax error")]
    [InlineData("true THEN true END OR CASE WHEN true", "syntax error")]
    [InlineData("true); DELETE FROM public.chat_sessions; SELECT (true", "Where of policy 'main/idle'")]
    [InlineData("true) /*", "unterminated /* comment")]
    public async Task Refuses_a_condition_that_is_not_one_expression_on_the_session(string where, string says)
    {
        var database = await DatabaseAsync("INSERT INTO public.chat_sessions DEFAULT VALUES");

        var problem = Assert.Single((await InspectAsync(database, With(where))).Problems);

        Assert.Contains("The server refuses Where of policy 'main/idle'", problem, StringComparison.Ordinal);
        Assert.Contains(says, problem, StringComparison.Ordinal);
        Assert.Equal(1, await database.ScalarAsync<long>("SELECT count(*) FROM public.chat_sessions", Token));
    }

    [Theory]
    [InlineData("s.user_id LIKE 'demo-%' -- the demo users")]
    [InlineData("s.metadata ->> 'a:b@c' = '; )' AND NOT s.archived")]
    [InlineData("EXISTS (SELECT FROM public.chat_messages AS m WHERE m.session_id = s.session_id)")]
    public async Task Accepts_a_condition_on_the_session(string where) => await AcceptsAsync("", With(where));

    [Fact]
    public async Task Refuses_every_bad_condition_by_its_policy()
    {
        var database = await DatabaseAsync("");
        var source = With("s.one > 1");
        source = source with
        {
            Policies =
            [
                .. source.Policies,
                source.Policies[0] with
                {
                    Name = "ok",
                    Where = "true",
                },
                source.Policies[0] with
                {
                    Name = "purge",
                    Where = "s.two > 1",
                },
            ],
        };

        Assert.Collection(
            (await InspectAsync(database, source)).Problems,
            p => Assert.Contains("'main/idle': column s.one does not exist", p, StringComparison.Ordinal),
            p => Assert.Contains("'main/purge': column s.two does not exist", p, StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData("Europe/Berlin", 0)]
    [InlineData("Mars/Phobos", 1)]
    public async Task Refuses_a_time_zone_that_the_server_does_not_know(string zone, int problems)
    {
        var database = await DatabaseAsync("");

        var inspection = await InspectAsync(database, Source with { TimeZone = zone });

        Assert.Equal(problems, inspection.Problems.Count);
        Assert.All(inspection.Problems, p =>
            Assert.Contains($"does not know the time zone '{zone}' of source 'main'", p, StringComparison.Ordinal)
        );
    }

    private static SourceSettings With(string where) =>
        Source with
        {
            Policies =
            [
                new()
                {
                    Source = "main",
                    Name = "idle",
                    Action = PolicyAction.Archive,
                    IdleFor = TimeSpan.FromDays(90),
                    Where = where,
                },
            ],
        };
}
