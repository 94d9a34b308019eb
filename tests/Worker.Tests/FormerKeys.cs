using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>Chats of the test's own, whose key gets another type.</summary>
public abstract class FormerKeys(TestServers servers)
{
    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    private protected async Task<Installation> CreateAsync(string tables)
    {
        var archiver = await Installation.CreateAsync(servers, tables, Token);
        foreach (
            var (key, column) in new Dictionary<string, string>
            {
                ["Session:Table"] = "chats",
                ["Session:Key"] = "id",
                ["Session:User"] = "usr",
                ["Session:Activity:0"] = "seen",
                ["Children:messages:Table"] = "posts",
                ["Children:messages:ForeignKey"] = "chat_id",
                ["Children:messages:ParentKey"] = "id",
                ["Children:messages:Key"] = "id",
                ["Children:messages:Order:0"] = "id",
            }
        )
            archiver.With($"Sources:main:Tables:{key}", column);
        return archiver;
    }

    private protected static Task<string?> OfLedgerAsync(Installation archiver, string what) =>
        archiver.Database.ScalarAsync<string>($"SELECT ({what})::text FROM archiver.archives", Token);

    private protected static async Task<ProcessResult> DoneAsync(Installation archiver, params string[] verb)
    {
        var result = await archiver.RunAsync(verb);
        Assert.True(result.ExitCode == 0, $"{string.Join(' ', verb)}: {result.Error}{result.Output}");
        return result;
    }
}
