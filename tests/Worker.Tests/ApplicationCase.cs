using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>An application with conversations, and the whole way of them.</summary>
public abstract class ApplicationCase(TestServers servers)
{
    private protected TestServers Servers { get; } = servers;

    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    private protected static readonly Dictionary<string, string> Conversations = new()
    {
        ["Session:Table"] = "conversations",
        ["Session:Key"] = "id",
        ["Session:Activity:0"] = "seen",
        ["Session:User"] = "user_id",
        ["Children:messages:Table"] = "messages",
        ["Children:messages:ForeignKey"] = "conversation_id",
        ["Children:messages:ParentKey"] = "id",
        ["Children:messages:Key"] = "id",
        ["Children:messages:Order:0"] = "id",
    };

    private protected const string Tables = """
        CREATE TABLE conversations (id int PRIMARY KEY, user_id text, seen timestamptz NOT NULL);
        CREATE TABLE messages (id int PRIMARY KEY, conversation_id int NOT NULL REFERENCES conversations, text text);
        CREATE INDEX ON messages (conversation_id); CREATE INDEX ON conversations (seen, id);
        INSERT INTO conversations VALUES (1, 'u', now() - interval '200 days'), (2, 'v', now()), (3, 'w', now() - interval '200 days');
        INSERT INTO messages VALUES (11, 1, 'hello'), (21, 2, 'hello'), (31, 3, 'hello');
        """;

    /// <summary>Archive 1 and 3, restore 1 to the byte, erase 2; nothing fails and nothing is stored twice.</summary>
    private protected static async Task ArchivesRestoresAndErasesAsync(Installation archiver)
    {
        var before = await RowsAsync(archiver);
        var archive = await archiver.RunAsync("archive");
        Assert.True(archive.ExitCode == 0, archive.Error);
        Assert.Contains("main/idle: done, 2 sessions archived", archive.Output, StringComparison.Ordinal);
        Assert.Equal(2, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.objects WHERE state = 'stored'"));
        var restore = await archiver.RunAsync("restore", "1", "3");
        Assert.True(restore.ExitCode == 0, restore.Error);
        Assert.Equal(before, await RowsAsync(archiver));
        var erase = await archiver.RunAsync("erase", "2", "--yes");
        Assert.True(erase.ExitCode == 0, erase.Error + erase.Output);
        Assert.Equal(2, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM conversations"));
    }

    private protected static async Task<string> RowsAsync(Installation archiver) =>
        await archiver.Database.CopyOutAsync("SELECT * FROM conversations ORDER BY id")
        + await archiver.Database.CopyOutAsync("SELECT * FROM messages ORDER BY id");

    private protected async Task<Installation> CreateAsync(string more, bool ledger = true)
    {
        var archiver = await Installation.CreateAsync(Servers, $"{Tables}\n{more}", Token, ledger);
        foreach (var (key, value) in Conversations)
            archiver.With($"Sources:main:Tables:{key}", value);
        return archiver;
    }
}
