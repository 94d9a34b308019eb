using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Restore;

/// <summary>A document is one line; values of type json are texts, line breaks and all.</summary>
public sealed class JsonLineBreakTests(TestServers servers)
{
    // At the beginning and the end, of all kinds, the mark of a document itself, and one that goes out in pieces.
    private const string Tables = """
        CREATE TABLE chats (id int PRIMARY KEY, seen timestamptz NOT NULL, settings json);
        CREATE TABLE notes (id int PRIMARY KEY, chat_id int NOT NULL REFERENCES chats, extra json);
        CREATE INDEX ON chats (seen, id); CREATE INDEX ON notes (chat_id);
        INSERT INTO chats VALUES
          (1, now() - interval '1 year', E'\r\n\n {\n\t"a": "x\\ny",\r"a":\t\t \t1}\t \n '),
          (2, now() - interval '1 year', E'\t \t  \t[1,\t2]'),
          (3, now() - interval '1 year', E'{"a":\t1 }\t'), (4, now() - interval '1 year', E'\nnull\n');
        INSERT INTO notes SELECT c, c, (SELECT E'[\n' || string_agg(format(E'  {"n":\t%s}', n), E',\r\n') || E'\n]\n'
            FROM generate_series(1, 60000) n)::json
          FROM generate_series(1, 2) c;
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(VerifyMode.ReadBack)]
    [InlineData(VerifyMode.TrialRestore)]
    public async Task Values_of_json_come_back_byte_for_byte(VerifyMode verify)
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
                    Name = "notes",
                    Table = new("public", "notes"),
                    ForeignKey = "chat_id",
                    ParentKey = "id",
                    Key = "id",
                    Order = ["id"],
                },
            ]
        );
        await using var archiver = await ArchiverFixture.CreateAsync(
            servers,
            map,
            s => s with { Storage = s.Storage with { Verify = verify } },
            null,
            Token
        );
        await archiver.Database.ExecuteAsync(Tables, Token);
        var before = await CopyAsync(archiver);

        var archived = await archiver.RunAsync(Token);
        var restored = await archiver.RestoreAsync(RestoreFixture.Everything, Token);

        Assert.Equal((null, 4L), (archived.Error, archived.Sessions));
        Assert.Equal((RunOutcome.Done, 4L), (restored.Outcome, restored.Restored));
        Assert.Equal(before, await CopyAsync(archiver));
    }

    private static async Task<string> CopyAsync(ArchiverFixture archiver) =>
        await archiver.Database.CopyOutAsync("SELECT * FROM chats ORDER BY id", Token)
        + await archiver.Database.CopyOutAsync("SELECT * FROM notes ORDER BY id", Token);
}
