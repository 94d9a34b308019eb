using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>Chats that are nothing but messages with a common key.</summary>
public abstract class RowlessChats(TestServers servers)
{
    private protected TestServers Servers { get; } = servers;

    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    private protected static string Key(int n) => $"00000000-0000-0000-0000-00000000000{n}";

    private protected static Task<string?> KeysAsync(Installation archiver) =>
        archiver.Database.ScalarAsync<string?>(
            "SELECT string_agg(DISTINCT coalesce(right(session_id::text, 1), '-'), ',') FROM messages",
            Token
        );

    /// <summary>1 and 2 are old, 3 has a young message, and one row has no key.</summary>
    private protected async Task<Installation> CreateAsync(string type, string? form, string value, string key)
    {
        var archiver = await Installation.CreateAsync(
            Servers,
            $"""
            CREATE TABLE messages (id serial PRIMARY KEY, session_id {key}, body text NOT NULL, at {type} NOT NULL);
            CREATE TABLE notes (id serial PRIMARY KEY, session_id {key} NOT NULL, note text);
            CREATE INDEX ON messages (session_id, at); CREATE INDEX ON notes (session_id);
            INSERT INTO messages (session_id, body, at) SELECT ('00000000-0000-0000-0000-00000000000' || s)::{key}, 'hello',
              {TimedChats.Of(value, "now() - interval '200 days' - m * interval '10 days'")}
                FROM generate_series(1, 3) AS s, generate_series(0, 1) AS m;
            INSERT INTO messages (session_id, body, at)
              VALUES ('{Key(3)}', 'young', {TimedChats.Of(value, "now()")}),
                (NULL, 'nobody', {TimedChats.Of(value, "now() - interval '300 days'")});
            INSERT INTO notes (session_id, note) SELECT ('00000000-0000-0000-0000-00000000000' || s)::{key}, 'n'
              FROM generate_series(1, 3) AS s;
            """,
            Token
        );
        foreach (
            var (name, text) in new Dictionary<string, string?>
            {
                ["Session:From"] = "messages",
                ["Session:Key"] = "session_id",
                ["Session:Activity:0:Column"] = "at",
                ["Session:Activity:0:As"] = form,
                ["Children:messages:Table"] = "messages",
                ["Children:messages:Key"] = "id",
                ["Children:messages:Order:0"] = "id",
                ["Children:notes:Table"] = "notes",
                ["Children:notes:ForeignKey"] = "session_id",
                ["Children:notes:ParentKey"] = "session_id",
                ["Children:notes:Key"] = "id",
                ["Children:notes:Order:0"] = "id",
            }
        )
            archiver.With($"Sources:main:Tables:{name}", text);
        var migrated = await archiver.RunAsync("migrate");
        Assert.True(migrated.ExitCode == 0, migrated.Error);
        return archiver;
    }
}
