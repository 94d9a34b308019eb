using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>Chats of several users, archived and live.</summary>
public abstract class ErasedChats(TestServers servers)
{
    private protected TestServers Servers { get; } = servers;

    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>
    /// Chats 1 of Ann and 3 of Bob are idle, 2 of Ann is young; without foreign keys, as in Dify, Chatwoot and LangGraph.
    /// </summary>
    private protected async Task<Installation> ChatsAsync()
    {
        var archiver = await Installation.CreateAsync(Servers, Token, idle: 0, young: 0);
        await archiver.Database.ExecuteAsync(
            """
            CREATE TABLE chats (id int PRIMARY KEY, owner text, updated_at timestamptz NOT NULL, created_at timestamptz);
            CREATE TABLE messages (id int PRIMARY KEY, chat_id int NOT NULL, body text);
            CREATE INDEX ON messages (chat_id); CREATE INDEX ON chats (updated_at, id);
            INSERT INTO chats VALUES (1, 'ann', now() - interval '200 days', now() - interval '300 days'), (2, 'ann', now(), now()),
              (3, 'bob', now() - interval '200 days', now() - interval '300 days');
            INSERT INTO messages SELECT 10 + id, id, 'old' FROM chats;
            """
        );
        return archiver
            .With("Sources:main:Preset", null)
            .With("Sources:main:Tables:Session:Table", "chats")
            .With("Sources:main:Tables:Session:Key", "id")
            .With("Sources:main:Tables:Session:Activity:0", "updated_at")
            .With("Sources:main:Tables:Session:User", "owner")
            .With("Sources:main:Tables:Children:messages:Table", "messages")
            .With("Sources:main:Tables:Children:messages:ForeignKey", "chat_id")
            .With("Sources:main:Tables:Children:messages:ParentKey", "id")
            .With("Sources:main:Tables:Children:messages:Key", "id")
            .With("Sources:main:Tables:Children:messages:Order:0", "id");
    }
}
