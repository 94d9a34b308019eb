using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Restore;

/// <summary>
/// The tables changed between archive and restore: accepted where nothing is lost, else refused by name with nothing written.
/// </summary>
public sealed class SchemaDriftTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("ALTER TABLE chat_sessions ADD COLUMN colour text")]
    [InlineData("ALTER TABLE chat_sessions ADD COLUMN colour text NOT NULL DEFAULT 'blue'")]
    [InlineData("ALTER TABLE chat_messages ALTER COLUMN role TYPE text, ALTER COLUMN token_count TYPE bigint")]
    [InlineData("ALTER TABLE chat_messages ALTER COLUMN token_count TYPE numeric(12,2)")]
    [InlineData("ALTER TABLE chat_messages ALTER COLUMN timestamp TYPE timestamp USING timestamp AT TIME ZONE 'UTC'")]
    [InlineData("ALTER TABLE chat_messages ALTER COLUMN metadata TYPE json")]
    [InlineData("ALTER TABLE chat_sessions DROP COLUMN archive_location")]
    [InlineData("ALTER TABLE chat_messages DROP CONSTRAINT chat_messages_token_count_check, ALTER COLUMN token_count TYPE text")]
    public async Task A_change_that_loses_nothing_is_accepted(string change)
    {
        var (archiver, _) = await ArchivedAsync(change);
        await using var _1 = archiver;

        var report = await archiver.RestoreAsync(RestoreFixture.Everything, Token);

        Assert.Empty(report.Refused);
        Assert.Equal((RunOutcome.Done, null, 3L), (report.Outcome, report.Error, report.Restored));
        Assert.Equal(12, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_messages"));
    }

    [Theory]
    [InlineData("ALTER TABLE chat_messages DROP COLUMN content", "column 'content' of public.chat_messages is gone")]
    [InlineData("ALTER TABLE chat_messages RENAME COLUMN content TO body", "column 'body' of public.chat_messages was added since")]
    [InlineData("ALTER TABLE chat_sessions ADD COLUMN colour text NOT NULL", "column 'colour' of public.chat_sessions was added since")]
    [InlineData("ALTER TABLE chat_messages ALTER COLUMN content TYPE varchar(3)", "column 'content' does not take an archived value today")]
    [InlineData(
        "ALTER TABLE chat_messages ALTER COLUMN content TYPE integer USING 0",
        "column 'content' does not take an archived value today"
    )]
    [InlineData(
        "ALTER TABLE chat_messages ALTER COLUMN timestamp TYPE timestamptz(0)",
        "would lose something in columns of another type: 'timestamp' was timestamp with time zone, is timestamp(0) with time zone"
    )]
    [InlineData(
        "ALTER TABLE chat_messages ALTER COLUMN timestamp TYPE date",
        "would lose something in columns of another type: 'timestamp' was timestamp with time zone, is date"
    )]
    [InlineData(
        "ALTER TABLE chat_messages ADD CONSTRAINT short CHECK (length(content) < 3)",
        "constraint 'short' of public.chat_messages does not allow its rows"
    )]
    [InlineData(
        "ALTER TABLE chat_sessions ALTER COLUMN archive_location SET NOT NULL",
        "column 'archive_location' of public.chat_sessions allows no NULL today"
    )]
    [InlineData("DROP TABLE chat_messages", "the table of 'messages' is gone or no longer mapped")]
    public async Task A_change_that_would_lose_something_is_refused_by_name_and_nothing_is_written(string change, string reason)
    {
        var (archiver, _) = await ArchivedAsync(change);
        await using var _1 = archiver;

        var report = await archiver.RestoreAsync(RestoreFixture.Everything, Token);

        Assert.Equal((RunOutcome.Partial, null, 0L), (report.Outcome, report.Error, report.Restored));
        Assert.Equal(3, report.Refused.Count);
        Assert.All(report.Refused, r => Assert.Contains(reason, r.Reason, StringComparison.Ordinal));
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions"));
        Assert.Equal(3, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state = 'archived'"));
    }

    [Fact]
    public async Task A_renamed_column_is_found_by_its_new_name_and_a_dropped_one_is_given_up_when_a_person_says_so()
    {
        var (archiver, contents) = await ArchivedAsync(
            "ALTER TABLE chat_messages RENAME COLUMN content TO body; ALTER TABLE chat_messages DROP COLUMN token_count"
        );
        await using var _1 = archiver;

        var refused = await archiver.RestoreAsync(RestoreFixture.Everything with { Maps = ["messages.content=body"] }, Token);
        var report = await archiver.RestoreAsync(
            RestoreFixture.Everything with
            {
                Maps = ["messages.content=body"],
                DropColumns = ["token_count"],
            },
            Token
        );

        Assert.Contains("--drop-column token_count", refused.Refused[0].Reason, StringComparison.Ordinal);
        Assert.Equal((RunOutcome.Done, 3L), (report.Outcome, report.Restored));
        Assert.Equal(contents, await archiver.Database.CopyOutAsync("SELECT body FROM chat_messages ORDER BY id"));
    }

    [Fact]
    public async Task A_child_table_that_is_gone_is_given_up_only_when_a_person_says_so()
    {
        var (archiver, _) = await ArchivedAsync("DROP TABLE chat_messages");
        await using var _1 = archiver;

        var report = await archiver.RestoreAsync(RestoreFixture.Everything with { DropColumns = ["messages.*"] }, Token);

        Assert.Equal((RunOutcome.Done, null, 3L), (report.Outcome, report.Error, report.Restored));
        Assert.Equal(3, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions"));
    }

    [Fact]
    public async Task A_child_table_that_is_new_gets_no_rows()
    {
        var (archiver, contents) = await ArchivedAsync(
            "CREATE TABLE ratings (id bigserial PRIMARY KEY, session_id uuid NOT NULL REFERENCES chat_sessions, stars int)"
        );
        await using var _1 = archiver;
        var map = archiver.Source.Map;
        var ratings = new ChildTable
        {
            Name = "ratings",
            Table = new("public", "ratings"),
            ForeignKey = "session_id",
            ParentKey = "session_id",
            Key = "id",
            Order = ["id"],
        };
        var settings = archiver.Settings with { Sources = [archiver.Source with { Map = new(map.Session, [.. map.Children, ratings]) }] };

        var report = await archiver.RestoreAsync(RestoreFixture.Everything, Token, settings: settings);

        Assert.Equal((RunOutcome.Done, null, 3L), (report.Outcome, report.Error, report.Restored));
        Assert.Equal(contents, await archiver.Database.CopyOutAsync("SELECT content FROM chat_messages ORDER BY id"));
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM ratings"));
    }

    [Fact]
    public async Task A_map_to_a_column_that_does_not_exist_is_wrong_usage()
    {
        var (archiver, _) = await ArchivedAsync("ALTER TABLE chat_messages RENAME COLUMN content TO body");
        await using var _1 = archiver;

        var report = await archiver.RestoreAsync(RestoreFixture.Everything with { Maps = ["content=boddy"] }, Token);

        Assert.Equal(
            (RunOutcome.Refused, "--map content=boddy: public.chat_messages has no column 'boddy'."),
            (report.Outcome, report.Error)
        );
    }

    private async Task<(ArchiverFixture Archiver, string Contents)> ArchivedAsync(string change)
    {
        var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0);
        await archiver.Database.ExecuteAsync("UPDATE chat_messages SET token_count = 7, metadata = '{\"a\": 1}'");
        var contents = await archiver.Database.CopyOutAsync("SELECT content FROM chat_messages ORDER BY id");
        Assert.Equal(3, (await archiver.RunAsync(Token)).Sessions);
        await archiver.Database.ExecuteAsync(change);
        return (archiver, contents);
    }
}
