using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Integration.Tests.Lifecycle;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Archiving;

/// <summary>Tables whose rows point to sessions, to each other and from elsewhere.</summary>
public abstract class PointingTables(TestServers servers)
{
    private protected TestServers Servers { get; } = servers;

    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    // The second child points to the first, the session to one of its messages, a message to the one before.
    private protected const string Tables = """
        CREATE TABLE chats (id int PRIMARY KEY, parent int, seen timestamptz NOT NULL, current int);
        CREATE TABLE msgs (id int PRIMARY KEY, chat int NOT NULL REFERENCES chats, before int REFERENCES msgs {0});
        CREATE TABLE files (id int PRIMARY KEY, chat int NOT NULL REFERENCES chats, msg int REFERENCES msgs {0});
        ALTER TABLE chats ADD FOREIGN KEY (current) REFERENCES msgs {0}, ADD FOREIGN KEY (parent) REFERENCES chats {0};
        CREATE INDEX ON msgs (chat); CREATE INDEX ON files (chat); CREATE INDEX ON files (msg); CREATE INDEX ON msgs (before); CREATE INDEX
          ON chats (current); CREATE INDEX ON chats (parent); CREATE INDEX ON chats (seen, id);
        INSERT INTO chats SELECT c, NULL, CASE WHEN c <= 4 THEN now() - interval '1 year' ELSE now() END FROM generate_series(1, 6) c;
        INSERT INTO msgs SELECT c * 10 + m, c, CASE WHEN m > 1 THEN c * 10 + m - 1 END
          FROM generate_series(1, 6) c, generate_series(1, 3) m;
        INSERT INTO files SELECT id * 10, chat, id FROM msgs;
        UPDATE chats SET current = id * 10 + 3;
        """;

    private protected async Task<ArchiverFixture> CreateAsync(string rule, string name, params ChildTable[] more)
    {
        var map = new SourceMap(
            new()
            {
                Table = new("public", "chats"),
                Key = "id",
                Activity = ["seen"],
            },
            [
                new()
                {
                    Name = name,
                    Table = new("public", "files"),
                    ForeignKey = "chat",
                    ParentKey = "id",
                    Order = ["id"],
                },
                new()
                {
                    Name = "messages",
                    Table = new("public", "msgs"),
                    ForeignKey = "chat",
                    ParentKey = "id",
                    Order = ["id"],
                },
            ]
        );
        var archiver = await ArchiverFixture.CreateAsync(
            Servers,
            map with
            {
                Children = [.. map.Children.OrderBy(c => c.Name, StringComparer.Ordinal), .. more],
            },
            null,
            null,
            Token
        );
        await archiver.ExecuteAsync(Tables.Replace("{0}", rule, StringComparison.Ordinal), null);
        return archiver;
    }
}
