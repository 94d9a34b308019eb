using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>An application whose times have a form of their own.</summary>
public abstract class TimeForms(TestServers servers)
{
    private protected TestServers Servers { get; } = servers;

    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>1 and 6 are old; 2 is young; of 3 nothing is known; 4 is of tomorrow; 5 has a young message.</summary>
    private protected async Task<Installation> CreateAsync(string type, string form, string value, string unset)
    {
        return await TimedChats.CreateAsync(
            Servers,
            $"""
            CREATE TABLE chats (id int PRIMARY KEY, seen {type}, made {type}, gone {type}, title text);
            CREATE TABLE posts (id int PRIMARY KEY, chat_id int NOT NULL REFERENCES chats, at {type}, body text);
            CREATE INDEX ON chats (seen, id); CREATE INDEX ON chats (gone, id); CREATE INDEX ON posts (chat_id);
            INSERT INTO chats
            SELECT id, CASE id WHEN 3 THEN {unset}
              ELSE {TimedChats.Of(value, "now() - days * interval '1 day'")} END, {TimedChats.Of(value, "now() - interval '300 days'")},
                {unset}, 't' || id
            FROM (VALUES (1, 200), (2, 1), (3, 0), (4, -1), (5, 200), (6, 200)) AS s (id, days);
            INSERT INTO posts SELECT id, id, {TimedChats.Of(value, "now() - interval '250 days'")}, 'hello' FROM chats;
            INSERT INTO posts VALUES (51, 5, {TimedChats.Of(value, "now() - interval '1 day'")}, 'again'), (61, 6, {unset}, 'when?');
            """,
            new()
            {
                ["Session:Activity:0:Column"] = "seen",
                ["Session:Activity:0:As"] = form,
                ["Session:Created:Column"] = "made",
                ["Session:Created:As"] = form,
                ["Session:Deleted:Column"] = "gone",
                ["Session:Deleted:As"] = form,
                ["Children:messages:Table"] = "posts",
                ["Children:messages:ForeignKey"] = "chat_id",
                ["Children:messages:ParentKey"] = "id",
                ["Children:messages:Key"] = "id",
                ["Children:messages:Order:0"] = "id",
                ["Children:messages:Time:Column"] = "at",
                ["Children:messages:Time:As"] = form,
            }
        );
    }
}
