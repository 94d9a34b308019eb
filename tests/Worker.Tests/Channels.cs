using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>
/// Channels that never rest, with old and young posts, attachments below these, and members beside them: three channels of twelve posts,
/// post n of them 20 * n days old, so that those from the fifth on are older than 90 days.
/// </summary>
internal static class Channels
{
    public const string Tables = """
        CREATE TABLE channels (id int PRIMARY KEY, title text, owner text, active_at timestamptz NOT NULL,
          pinned boolean NOT NULL DEFAULT false);
        CREATE TABLE posts (id int PRIMARY KEY, channel_id int NOT NULL REFERENCES channels, body text, extra jsonb, score double precision,
          at timestamptz);
        CREATE TABLE attachments (id int PRIMARY KEY, post_id int NOT NULL REFERENCES posts ON DELETE CASCADE, content bytea);
        CREATE TABLE members (id int PRIMARY KEY, channel_id int NOT NULL REFERENCES channels, name text);
        CREATE INDEX ON posts (channel_id, at); CREATE INDEX ON attachments (post_id); CREATE INDEX ON members (channel_id); CREATE INDEX
          ON channels (active_at, id);
        INSERT INTO channels SELECT c, 'channel ' || c, 'owner ' || c, now() FROM generate_series(1, 3) AS c;
        INSERT INTO posts SELECT c * 100 + n, c, E'line one\nline "two" \\ \t' || n, '{"a": [1, 2.50, null]}', n / 3.0,
          now() - n * interval '20 days' FROM generate_series(1, 3) AS c, generate_series(0, 11) AS n;
        INSERT INTO attachments SELECT p.id * 10 + i, p.id, decode('00ff10', 'hex') FROM posts AS p, generate_series(1, 2) AS i
          WHERE p.id % 2 = 0;
        INSERT INTO members SELECT c * 10 + m, c, 'member ' || m FROM generate_series(1, 3) AS c, generate_series(1, 2) AS m;
        """;

    public const string Policy = "Sources:main:Policies:old";

    private static readonly Dictionary<string, string> Map = new()
    {
        ["Session:Table"] = "channels",
        ["Session:Key"] = "id",
        ["Session:Activity:0"] = "active_at",
        ["Session:User"] = "owner",
        ["Children:messages:Table"] = "posts",
        ["Children:messages:ForeignKey"] = "channel_id",
        ["Children:messages:ParentKey"] = "id",
        ["Children:messages:Key"] = "id",
        ["Children:messages:Order:0"] = "id",
        ["Children:messages:Time"] = "at",
        ["Children:attachments:Table"] = "attachments",
        ["Children:attachments:Parent"] = "messages",
        ["Children:attachments:ForeignKey"] = "post_id",
        ["Children:attachments:ParentKey"] = "id",
        ["Children:attachments:Key"] = "id",
        ["Children:attachments:Order:0"] = "id",
        ["Children:members:Table"] = "members",
        ["Children:members:ForeignKey"] = "channel_id",
        ["Children:members:ParentKey"] = "id",
        ["Children:members:Key"] = "id",
        ["Children:members:Order:0"] = "id",
    };

    /// <summary>With a policy <c>old</c> that archives messages older than 90 days, and an empty ledger.</summary>
    /// <param name="servers">Where.</param>
    /// <param name="more">SQL after the tables are filled.</param>
    /// <param name="olderThan">MessagesOlderThan, or null.</param>
    /// <param name="keepLast">KeepLast, or null.</param>
    public static async Task<Installation> CreateAsync(
        TestServers servers,
        string more = "",
        string? olderThan = "90d",
        string? keepLast = null
    )
    {
        var archiver = await Installation.CreateAsync(servers, Tables + more, TestContext.Current.CancellationToken);
        archiver
            .With("Sources:main:Policies:idle:Action", null)
            .With("Sources:main:Policies:idle:IdleFor", null)
            .With($"{Policy}:Action", "Archive")
            .With($"{Policy}:Scope", "Messages")
            .With($"{Policy}:MessagesOlderThan", olderThan)
            .With($"{Policy}:KeepLast", keepLast);
        foreach (var (key, value) in Map)
            archiver.With($"Sources:main:Tables:{key}", value);
        await archiver.DoAsync("migrate");
        return archiver;
    }

    /// <summary>Runs a verb that must succeed; returns what it printed.</summary>
    public static async Task<string> DoAsync(this Installation archiver, params string[] arguments)
    {
        var result = await archiver.RunAsync(arguments);
        Assert.True(result.ExitCode == 0, $"{string.Join(' ', arguments)}: {result.ExitCode}\n{result.Error}{result.Output}");
        return result.Output;
    }

    /// <summary>Every row of the application, as text.</summary>
    public static async Task<string> AllRowsAsync(this Installation archiver)
    {
        var rows = "";
        foreach (var table in new[] { "channels", "posts", "attachments", "members" })
            rows += $"{table}\n{await archiver.Database.CopyOutAsync($"SELECT * FROM {table} ORDER BY id")}";
        return rows;
    }

    /// <summary>Ids of the posts that are in the table, of one channel without the channel's hundreds.</summary>
    public static async Task<string> PostsAsync(this Installation archiver, int channel) =>
        await archiver.Database.ScalarAsync<string?>(
            $"SELECT string_agg((id % 100)::text, ' ' ORDER BY id) FROM posts WHERE channel_id = {channel}",
            TestContext.Current.CancellationToken
        ) ?? "";
}
