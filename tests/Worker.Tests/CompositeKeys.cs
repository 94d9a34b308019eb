using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>Sessions that several columns name together: two that differ in a single one of them.</summary>
public abstract class CompositeKeys(TestServers servers)
{
    private protected TestServers Servers { get; } = servers;

    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    private protected const string Id = """["x","y","one"]""";

    private protected Task<Installation> TextsAsync() => CreateAsync(["text", "text", "text"], ["x", "y", "one"], "two");

    private protected static async Task<ProcessResult> DoneAsync(Installation archiver, params string[] arguments)
    {
        var result = await archiver.RunAsync(arguments);
        Assert.True(result.ExitCode == 0, $"{string.Join(' ', arguments)}: {result.ExitCode} {result.Error}{result.Output}");
        return result;
    }

    private protected static Task<string?> CountsAsync(Installation archiver) =>
        archiver.Database.ScalarAsync<string?>(
            "SELECT (SELECT count(*) FROM chats) || ' ' || (SELECT count(*) FROM posts) || ' ' || (SELECT count(*) FROM files)",
            Token
        );

    private protected static async Task<string> RowsAsync(Installation archiver) =>
        await archiver.Database.CopyOutAsync("SELECT * FROM chats ORDER BY c")
        + await archiver.Database.CopyOutAsync("SELECT * FROM posts ORDER BY 1, 2, 3, 4")
        + await archiver.Database.CopyOutAsync("SELECT * FROM files ORDER BY no");

    /// <summary>
    /// The foreign key names its columns in another order than the key; files point to posts, whose own key has four columns.
    /// </summary>
    private protected async Task<Installation> CreateAsync(string[] types, string[] values, string young)
    {
        var (old, two) = ($"'{values[0]}', '{values[1]}', '{values[2]}'", $"'{values[0]}', '{values[1]}', '{young}'");
        var archiver = await Installation.CreateAsync(
            Servers,
            $"""
            CREATE TABLE chats (a {types[0]}, b {types[1]}, c {types[2]}, seen timestamptz NOT NULL,
              CONSTRAINT chats_pkey PRIMARY KEY (a, b, c));
            CREATE TABLE posts (id int, chat_a {types[0]}, chat_b {types[1]}, chat_c {types[2]}, at timestamptz NOT NULL, gone timestamptz,
              body text,
              PRIMARY KEY (id, chat_a, chat_b, chat_c),
                CONSTRAINT posts_chat FOREIGN KEY (chat_c, chat_a, chat_b) REFERENCES chats (c, a, b) ON DELETE CASCADE);
            CREATE TABLE files (no serial PRIMARY KEY, post int, a {types[0]}, b {types[1]}, c {types[2]},
              FOREIGN KEY (post, a, b, c) REFERENCES posts (id, chat_a, chat_b, chat_c) ON DELETE CASCADE);
            CREATE INDEX posts_of ON posts (chat_a, chat_b, chat_c); CREATE INDEX ON files (a, b, c, post); CREATE INDEX
              ON chats (seen, a, b, c);
            INSERT INTO chats VALUES ({old}, now() - interval '200 days'), ({two}, now());
            INSERT INTO posts SELECT n, a, b, c, seen, NULL, 'hello' FROM chats, generate_series(1, 2) AS n;
            INSERT INTO files (post, a, b, c) SELECT id, chat_a, chat_b, chat_c FROM posts, generate_series(1, 2);
            """,
            Token
        );
        foreach (
            var (name, text) in new Dictionary<string, string?>
            {
                ["Session:Table"] = "chats",
                ["Session:Key:0"] = "a",
                ["Session:Key:1"] = "b",
                ["Session:Key:2"] = "c",
                ["Session:Activity:0"] = "seen",
                ["Children:messages:Table"] = "posts",
                ["Children:messages:ForeignKey:0"] = "chat_c",
                ["Children:messages:ForeignKey:1"] = "chat_a",
                ["Children:messages:ForeignKey:2"] = "chat_b",
                ["Children:messages:ParentKey:0"] = "c",
                ["Children:messages:ParentKey:1"] = "a",
                ["Children:messages:ParentKey:2"] = "b",
                ["Children:messages:Key:0"] = "id",
                ["Children:messages:Key:1"] = "chat_a",
                ["Children:messages:Key:2"] = "chat_b",
                ["Children:messages:Key:3"] = "chat_c",
                ["Children:messages:Order:0"] = "id",
                ["Children:messages:Time"] = "at",
                ["Children:messages:Deleted"] = "gone",
                ["Children:files:Table"] = "files",
                ["Children:files:Parent"] = "messages",
                ["Children:files:Key"] = "no",
                ["Children:files:Order:0"] = "no",
                ["Children:files:ForeignKey:0"] = "post",
                ["Children:files:ForeignKey:1"] = "a",
                ["Children:files:ForeignKey:2"] = "b",
                ["Children:files:ForeignKey:3"] = "c",
                ["Children:files:ParentKey:0"] = "id",
                ["Children:files:ParentKey:1"] = "chat_a",
                ["Children:files:ParentKey:2"] = "chat_b",
                ["Children:files:ParentKey:3"] = "chat_c",
            }
        )
            archiver.With($"Sources:main:Tables:{name}", text);
        await DoneAsync(archiver, "migrate");
        return archiver;
    }
}
