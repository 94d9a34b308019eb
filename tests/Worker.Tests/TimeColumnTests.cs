using System.Globalization;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>Times that are parts of ids, that another column stands in for, or that belong to a flag.</summary>
public sealed class TimeColumnTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("uuid", "uuid-v7", 7)]
    [InlineData("text", "uuid-v6", 6)]
    [InlineData("varchar(36)", "uuid", 1)]
    public async Task Sessions_whose_ids_tell_their_time_are_archived_and_restored_but_made_no_younger(
        string type,
        string form,
        int version
    )
    {
        var (old, young) = (
            UuidOf(TimeProvider.System.GetUtcNow().AddDays(-200), version),
            UuidOf(TimeProvider.System.GetUtcNow(), version)
        );
        await using var archiver = await TimedChats.CreateAsync(
            servers,
            $"CREATE TABLE chats (id {type} PRIMARY KEY); INSERT INTO chats VALUES ('{old}'), ('{young}'), ('{Guid.NewGuid()}')",
            new() { ["Session:Activity:0:Column"] = "id", ["Session:Activity:0:As"] = form }
        );

        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        Assert.Equal(
            old,
            await archiver.Database.ScalarAsync<string>(
                "SELECT string_agg(session_id, ',') FROM archiver.archives WHERE "
                    + "now() - session_last_activity BETWEEN interval '199 days' AND interval '201 days'",
                Token
            )
        );
        var refused = await archiver.RunAsync("restore", old, "--reactivate");
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("its activity is the time inside an id", refused.Error, StringComparison.Ordinal);
        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE", Token);
        Assert.Equal(0, (await archiver.RunAsync("ledger", "rebuild")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("restore", old)).ExitCode);

        Assert.Equal(3, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chats", Token));
        Assert.Equal(
            "200",
            await archiver.Database.ScalarAsync<string>(
                "SELECT round(extract(epoch FROM now() - session_last_activity) / 86400)::text FROM archiver.archives",
                Token
            )
        );
    }

    [Theory]
    [InlineData("timestamptz", null, "{0}", "NULL")]
    [InlineData("bigint", "epoch-ms", "(extract(epoch FROM {0}) * 1000)::bigint", "0")]
    [InlineData("text", "text", "to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')", "''")]
    public async Task A_session_that_was_never_used_is_as_old_as_what_its_activity_falls_back_on(
        string type,
        string? form,
        string value,
        string unset
    )
    {
        await using var archiver = await TimedChats.CreateAsync(
            servers,
            $"""
            CREATE TABLE chats (id int PRIMARY KEY, seen {type}, made {type});
            INSERT INTO chats VALUES (1, {unset}, {TimedChats.Of(value, "now() - interval '200 days'")}),
              (2, {unset}, {TimedChats.Of(value, "now()")}),
                (3, {TimedChats.Of(value, "now()")}, {TimedChats.Of(value, "now() - interval '200 days'")}), (4, {unset}, {unset}),
                  (5, {TimedChats.Of(value, "now() - interval '300 days'")}, {unset})
            """,
            new() { ["Session:Activity:0:Column"] = "seen", ["Session:Activity:0:Or"] = "made" }
        );
        if (form is not null)
            archiver.With("Sources:main:Tables:Session:Activity:0:As", form);

        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        Assert.Equal("2,3,4", await TimedChats.LiveAsync(archiver));
        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE", Token);
        Assert.Equal(0, (await archiver.RunAsync("ledger", "rebuild")).ExitCode);
        Assert.Equal(
            "200 300",
            await archiver.Database.ScalarAsync<string>(
                "SELECT string_agg(round(extract(epoch FROM now() - "
                    + "session_last_activity) / 86400)::text, ' ' ORDER BY session_id) FROM archiver.archives",
                Token
            )
        );
        Assert.Equal(0, (await archiver.RunAsync("restore", "1", "--reactivate")).ExitCode);
        Assert.Equal(
            1,
            await archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM chats WHERE id = 1 AND seen IS DISTINCT FROM {unset}", Token)
        );
    }

    [Fact]
    public async Task What_a_flag_calls_deleted_goes_when_its_time_is_old_and_comes_back_together()
    {
        await using var archiver = await TimedChats.CreateAsync(
            servers,
            """
            CREATE TABLE chats (id int PRIMARY KEY, seen timestamptz NOT NULL, is_deleted boolean);
            CREATE TABLE posts (id int PRIMARY KEY, chat_id int NOT NULL REFERENCES chats, is_deleted boolean NOT NULL,
              at timestamptz NOT NULL); CREATE INDEX ON posts (chat_id);
            INSERT INTO chats VALUES (1, now() - interval '60 days', true), (2, now() - interval '60 days', false),
              (3, now() - interval '60 days', NULL), (4, now() - interval '1 day', true), (5, now() - interval '20 days', true);
            INSERT INTO posts SELECT id, id, is_deleted IS TRUE, seen FROM chats; INSERT INTO posts
              VALUES (51, 5, true, now() - interval '90 days'), (21, 2, true, now() - interval '90 days');
            """,
            new()
            {
                ["Session:Activity:0"] = "seen",
                ["Session:Deleted:Column"] = "is_deleted",
                ["Session:Deleted:At"] = "seen",
                ["Children:messages:Table"] = "posts",
                ["Children:messages:ForeignKey"] = "chat_id",
                ["Children:messages:ParentKey"] = "id",
                ["Children:messages:Key"] = "id",
                ["Children:messages:Order:0"] = "id",
                ["Children:messages:Deleted:Column"] = "is_deleted",
                ["Children:messages:Deleted:At"] = "at",
            }
        );
        archiver
            .With("Sources:main:Policies:gone:Action", "Purge")
            .With("Sources:main:Policies:gone:DeletedFor", "30d")
            .With("Sources:main:Policies:rows:Action", "Purge")
            .With("Sources:main:Policies:rows:Scope", "Messages")
            .With("Sources:main:Policies:rows:DeletedFor", "30d")
            .With("Sources:main:Policies:idle:IdleFor", null)
            .With("Sources:main:Policies:idle:DeletedFor", "10d");

        Assert.Equal(0, (await archiver.RunAsync("purge")).ExitCode);
        Assert.Equal("2,3,4,5", await TimedChats.LiveAsync(archiver));
        Assert.Equal(
            "2,3,4,5,51",
            await archiver.Database.ScalarAsync<string>("SELECT string_agg(id::text, ',' ORDER BY id) FROM posts", Token)
        );
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        Assert.Equal("2,3,4", await TimedChats.LiveAsync(archiver));
        Assert.Equal(
            "1",
            (await archiver.RunAsync("status", "--json")).Output is var status
            && status.Contains("\"soft_deleted\":1", StringComparison.OrdinalIgnoreCase)
                ? "1"
                : status
        );
        Assert.Equal(0, (await archiver.RunAsync("restore", "5", "--reactivate")).ExitCode);

        Assert.Equal(
            "false 5 false, 51 true",
            await archiver.Database.ScalarAsync<string>(
                "SELECT c.is_deleted || ' ' || string_agg(p.id "
                    + "|| ' ' || p.is_deleted, ', ' ORDER BY p.id) FROM chats AS c JOIN posts AS p ON p.chat_id = c.id WHERE c.id = 5 "
                    + "GROUP BY c.id",
                Token
            )
        );
    }

    private static string UuidOf(DateTimeOffset time, int version)
    {
        if (version == 7)
            return Guid.CreateVersion7(time).ToString();
        var hex = ((time - DateTimeOffset.UnixEpoch).Ticks + 122_192_928_000_000_000).ToString("x15", CultureInfo.InvariantCulture);
        return version == 6
            ? $"{hex[..8]}-{hex[8..12]}-6{hex[12..]}-8000-0123456789ab"
            : $"{hex[7..]}-{hex[3..7]}-1{hex[..3]}-8000-0123456789ab";
    }
}
