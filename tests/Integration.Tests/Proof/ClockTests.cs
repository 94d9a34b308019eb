using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Pipelines;
using Archiver.Core.Settings;
using Archiver.Testing;
using Archiver.Testing.Proof;
using Microsoft.Extensions.Logging.Abstractions;

namespace Archiver.Integration.Tests.Proof;

/// <summary>No session goes early and none is skipped, whatever the worker's clock or the calendar says.</summary>
public sealed class ClockTests(TestServers servers)
{
    // Zone of the test source: its clocks went back from 03:00 to 02:00 on 27 October 2024, at 01:00 UTC.
    private const string Berlin = "Europe/Berlin";

    private static readonly SourceMap Naive = new(
        new()
        {
            Table = new("public", "chats"),
            Key = "id",
            Activity = ["seen"],
        },
        [
            new()
            {
                Name = "messages",
                Table = new("public", "msgs"),
                ForeignKey = "chat",
                ParentKey = "id",
                Key = "id",
                Order = ["id"],
            },
        ]
    );

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    [InlineData(24 * 400)]
    public async Task The_workers_clock_does_not_matter(int hoursOff)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 0, young: 0);
        await archiver.ExecuteAsync(
            """
            INSERT INTO chat_sessions (session_title, created_at, last_activity)
            VALUES ('old', now() - interval '1 year', now() - interval '90 days 20 minutes'),
              ('young', now() - interval '1 year', now() - interval '89 days 23 hours 40 minutes')
            """,
            null
        );
        var runner = new PolicyRunner(
            archiver.Settings,
            archiver.Catalog,
            archiver.Store,
            new WrongClock(TimeSpan.FromHours(hoursOff)),
            NullLogger<PolicyRunner>.Instance
        );

        var summary = await runner.RunAsync(new RunRequest(archiver.Source, archiver.Policy), null, Token);

        Assert.Equal((RunOutcome.Done, 1L), (summary.Outcome, summary.Sessions));
        Assert.Equal("young", await archiver.Database.ScalarAsync<string>("SELECT session_title FROM chat_sessions"));
    }

    // A time without zone in the doubled hour may mean either: the session stays until it is old by both.
    [Theory]
    [InlineData("2024-10-26 22:50:00Z", "2024-10-27 00:10:00Z", true)]
    [InlineData("2024-10-26 23:50:00Z", "2024-10-26 23:40:00Z", false)]
    [InlineData("2024-10-27 01:20:00Z", "2024-10-27 00:50:00Z", false)]
    [InlineData("2024-10-27 00:20:00Z", "2024-10-27 02:30:00Z", true)]
    [InlineData("2024-10-27 01:20:00Z", "2024-10-27 02:30:00Z", true)]
    [InlineData("2024-03-31 00:50:00Z", "2024-03-31 01:10:00Z", true)]
    [InlineData("2024-03-31 01:10:00Z", "2024-03-31 00:50:00Z", false)]
    [InlineData("2024-02-29 12:00:00Z", "2024-02-29 12:10:00Z", true)]
    [InlineData("2024-02-29 12:00:00Z", "2024-02-29 11:50:00Z", false)]
    public async Task A_time_without_zone_is_never_early_when_the_clocks_change(string active, string cutOff, bool taken)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(
            servers,
            Naive,
            s => s with { Sources = [s.Sources[0] with { TimeZone = Berlin }] },
            null,
            Token
        );
        await archiver.ExecuteAsync(
            $"""
            CREATE TABLE chats (id int PRIMARY KEY, seen timestamp NOT NULL);
            CREATE TABLE msgs (id int PRIMARY KEY, chat int NOT NULL REFERENCES chats);
            CREATE INDEX ON msgs (chat);
            INSERT INTO chats VALUES (1, timestamptz '{active}' AT TIME ZONE '{Berlin}');
            INSERT INTO msgs VALUES (1, 1);
            """,
            null
        );
        var now = await archiver.Database.ScalarAsync<DateTime>("SELECT now()", Token);
        var idle = now - DateTime.Parse(cutOff, System.Globalization.CultureInfo.InvariantCulture).ToUniversalTime();
        var policy = archiver.Policy with { IdleFor = idle };

        var summary = await new PolicyRunner(
            archiver.Settings,
            archiver.Catalog,
            archiver.Store,
            TimeProvider.System,
            NullLogger<PolicyRunner>.Instance
        ).RunAsync(new RunRequest(archiver.Source, policy), null, Token);

        Assert.Equal((RunOutcome.Done, taken ? 1L : 0L), (summary.Outcome, summary.Sessions));
    }

    [Fact]
    public async Task Equal_times_over_the_ends_of_pages_are_all_taken_once()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 20, young: 1, configure: s =>
            s with
            {
                Batch = s.Batch with { Sessions = 3 },
            }
        );
        await archiver.ExecuteAsync(
            "UPDATE chat_sessions SET last_activity = '2024-02-29 23:59:59.999999+00' WHERE last_activity < now() - interval '90 days'",
            null
        );
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Done, 20L, 20L), (summary.Outcome, summary.Selected, summary.Sessions));
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
    }

    private sealed class WrongClock(TimeSpan off) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + off;
    }
}
