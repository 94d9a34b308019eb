using Archiver.Core.Diagnostics;
using Archiver.Core.Holds;
using Archiver.Core.Ledger;
using Archiver.Core.Reading;
using Archiver.Integration.Tests.Restore;
using Archiver.Integration.Tests.Roles;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>What a legal hold covers is not touched, whenever the hold came; a hold that nobody can read holds everything.</summary>
public sealed class HoldTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("session", 1)]
    [InlineData("user", 2)]
    [InlineData("range", 3)]
    [InlineData("all", 8)]
    [InlineData("none", 0)]
    public async Task Archives_exactly_what_no_hold_covers(string kind, int held)
    {
        await using var archiver = await WithThreeUsersAsync();
        var first = await archiver.Database.ScalarAsync<string>("SELECT session_id::text FROM chat_sessions WHERE user_id = 'one'");
        await archiver.HoldAsync(
            kind switch
            {
                "session" => new HoldRequest { Session = first!.ToUpperInvariant(), Reason = "case" },
                "user" => new HoldRequest { User = "two", Reason = "case" },
                "range" => new HoldRequest
                {
                    From = Day(10),
                    To = Day(20),
                    Reason = "case",
                },
                "all" => new HoldRequest { To = DateTimeOffset.MaxValue, Reason = "case" },
                _ => new HoldRequest { User = "nobody", Reason = "case" },
            },
            Token
        );
        const string rows =
            "SELECT s.*, s.xmin, m.*, m.xmin FROM chat_sessions s JOIN chat_messages m USING (session_id) WHERE {0} ORDER "
            + "BY s.session_id, m.id";
        var condition = kind switch
        {
            "session" => "s.user_id = 'one'",
            "user" => "s.user_id = 'two'",
            "range" => "s.user_id = 'three'",
            "all" => "true",
            _ => "false",
        };
        var before = await archiver.Database.CopyOutAsync(
            string.Format(System.Globalization.CultureInfo.InvariantCulture, rows, condition)
        );

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Done, 8L - held), (summary.Outcome, summary.Sessions));
        Assert.Equal(held, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions"));
        Assert.Equal(
            before,
            await archiver.Database.CopyOutAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, rows, "true"))
        );
        Assert.Equal(8 - held, (await archiver.Bucket.ListKeysAsync("chat_archives/2", Token)).Count);
    }

    [Fact]
    public async Task A_hold_that_comes_between_selection_and_delete_holds()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 4, young: 0);
        var session = await archiver.AnyIdleAsync(Token);
        archiver.Store = new HookedStore(archiver.Store)
        {
            BeforeFirstPut = () => archiver.HoldAsync(new HoldRequest { Session = session, Reason = "case" }, Token),
        };

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((3L, 1L), (summary.Sessions, summary.Reasons["held"]));
        Assert.Equal(session, await archiver.Database.ScalarAsync<string>("SELECT session_id::text FROM chat_sessions"));
    }

    [Fact]
    public async Task Holds_that_cannot_be_read_hold_everything()
    {
        await using var role = new TestRole(servers);
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 4, young: 0, configure: role.Use);
        await role.GrantAsync(archiver.Database, Token);
        await using (var connection = await archiver.Connections.OpenAsync(Token))
            await Migrator.MigrateAsync(connection, Token);
        await archiver.Database.ExecuteAsync($"REVOKE SELECT ON archiver.holds FROM {role.Name}", Token);

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Failed, 0L), (summary.Outcome, summary.Sessions));
        Assert.Contains("holds", summary.Error, StringComparison.Ordinal);
        Assert.Equal(4, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions", Token));
    }

    [Fact]
    public async Task A_restore_that_replaces_leaves_a_held_session_as_it_is()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 2, young: 0);
        var session = await archiver.AnyIdleAsync(Token);
        await archiver.RunAsync(Token);
        await archiver.RestoreAsync(RestoreFixture.Session(session), Token);
        await archiver.ExecuteAsync("UPDATE chat_sessions SET session_title = 'changed' WHERE session_id = $1", session);
        await archiver.HoldAsync(new HoldRequest { Session = session, Reason = "case" }, Token);
        var rows = await archiver.Database.CopyOutAsync("SELECT s.*, s.xmin FROM chat_sessions s");
        var objects = await archiver.Bucket.ListKeysAsync("chat_archives/2", Token);

        var report = await archiver.RestoreAsync(RestoreFixture.Session(session) with { OnConflict = ConflictMode.Replace }, Token);

        Assert.Equal((RunOutcome.Partial, 1), (report.Outcome, report.Refused.Count));
        Assert.Equal(rows, await archiver.Database.CopyOutAsync("SELECT s.*, s.xmin FROM chat_sessions s"));
        Assert.Equal(objects, await archiver.Bucket.ListKeysAsync("chat_archives/2", Token));
    }

    [Fact]
    public async Task A_hold_covers_archives_too_and_leaves_an_audit_row_without_names()
    {
        await using var archiver = await WithThreeUsersAsync();
        await archiver.RunAsync(Token);
        var id = (await archiver.HoldAsync(new HoldRequest { User = "two", Reason = "case 7" }, Token))[0];

        Assert.Equal(new HoldCoverage(0, 2), await archiver.CountHeldAsync(Token));
        await using (var connection = await archiver.Connections.OpenAsync(Token))
        {
            Assert.True(await LegalHolds.RemoveAsync(archiver.Connections, archiver.Source, id, "somebody", Token));
            Assert.False(await LegalHolds.RemoveAsync(archiver.Connections, archiver.Source, id, "somebody", Token));
            Assert.Empty(await HoldList.ReadAsync(connection, "main", removed: false, Token));
            Assert.Equal("somebody", Assert.Single(await HoldList.ReadAsync(connection, "main", removed: true, Token)).RemovedBy);
        }
        Assert.Equal(new HoldCoverage(0, 0), await archiver.CountHeldAsync(Token));
        Assert.Equal(
            $"test\thold add\tcase 7\t{{\"hold\": {id}}}\nsomebody\thold remove\t\\N\t{{\"hold\": {id}}}\n",
            await archiver.Database.CopyOutAsync("SELECT who, action, reason, counts FROM archiver.audit ORDER BY id")
        );
    }

    /// <summary>
    /// One session of user one, two of user two, three of user three, two of nobody; those of user three from days 5 to 15 of January 2025.
    /// </summary>
    private async Task<ArchiverFixture> WithThreeUsersAsync()
    {
        var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 8, young: 0, messages: 2);
        await archiver.Database.ExecuteAsync(
            """
            WITH n AS (SELECT session_id, row_number() OVER (ORDER BY session_id) AS n FROM chat_sessions)
            UPDATE chat_sessions AS s
            SET user_id = CASE WHEN n.n = 1 THEN 'one' WHEN n.n <= 3 THEN 'two' WHEN n.n <= 6 THEN 'three' END,
                created_at = CASE WHEN n.n BETWEEN 4 AND 6 THEN timestamptz '2025-01-05 00:00Z' ELSE timestamptz '2025-02-01 00:00Z' END,
                last_activity = CASE WHEN n.n BETWEEN 4 AND 6 THEN timestamptz '2025-01-15 00:00Z' ELSE timestamptz '2025-02-02 00:00Z' END,
                ended_at = NULL
            FROM n WHERE n.session_id = s.session_id;
            """,
            Token
        );
        return archiver;
    }

    private static DateTimeOffset Day(int day) => new(2025, 1, day, 0, 0, 0, TimeSpan.Zero);
}
