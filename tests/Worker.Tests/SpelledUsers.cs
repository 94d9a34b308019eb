using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>Chats of users whose ids may be written in several ways.</summary>
public abstract class SpelledUsers(TestServers servers)
{
    private protected TestServers Servers { get; } = servers;

    private protected const string User = "abcdef00-0000-0000-0000-0000000000aa",
        Nobody = "abcdef00-0000-0000-0000-0000000000bb";

    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Three chats of one user: one deleted, one idle, one young. Keys are integers, users uuids.</summary>
    private protected async Task<Installation> ChatsAsync()
    {
        var archiver = await Installation.CreateAsync(Servers, Token, idle: 0, young: 0);
        await archiver.Database.ExecuteAsync(
            $"""
            CREATE TABLE chats (id int PRIMARY KEY, user_id uuid NOT NULL, deleted_at timestamptz, updated_at timestamptz NOT NULL);
            CREATE TABLE messages (id int PRIMARY KEY, chat_id int NOT NULL REFERENCES chats, body text);
            CREATE INDEX ON messages (chat_id); CREATE INDEX ON chats (updated_at, id); CREATE INDEX ON chats (deleted_at, id);
            INSERT INTO chats VALUES (1, '{User}', now() - interval '60 days', now() - interval '60 days'),
             (2, '{User}', NULL, now() - interval '100 days'), (3, '{User}', NULL, now());
            INSERT INTO messages SELECT id, id, 'secret' FROM chats;
            """
        );
        return archiver
            .With("Sources:main:Preset", null)
            .With("Sources:main:Tables:Session:Table", "chats")
            .With("Sources:main:Tables:Session:Key", "id")
            .With("Sources:main:Tables:Session:Activity:0", "updated_at")
            .With("Sources:main:Tables:Session:User", "user_id")
            .With("Sources:main:Tables:Session:Deleted", "deleted_at")
            .With("Sources:main:Tables:Children:messages:Table", "messages")
            .With("Sources:main:Tables:Children:messages:ForeignKey", "chat_id")
            .With("Sources:main:Tables:Children:messages:ParentKey", "id")
            .With("Sources:main:Tables:Children:messages:Key", "id")
            .With("Sources:main:Tables:Children:messages:Order:0", "id")
            .With("Sources:main:Policies:gone:Action", "Purge")
            .With("Sources:main:Policies:gone:DeletedFor", "30d");
    }
}
