using System.IO.Compression;
using System.Text.Json;
using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Testing;
using Npgsql;

namespace Archiver.Integration.Tests.Sources;

/// <summary>Schemas that no preset knows: any names, any of the key types, any depth.</summary>
public sealed class AnySchemaTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static readonly SourceMap Odd = new(
        new()
        {
            Table = new("Odd Schema", "Chat \"Sessions\""),
            Key = "select",
            Activity = ["Last Seen"],
        },
        [
            new()
            {
                Name = "messages",
                Table = new("Odd Schema", "order"),
                ForeignKey = "from",
                ParentKey = "select",
                Key = "ID",
                Order = ["At", "ID"],
                Time = "At",
            },
            new()
            {
                Name = "attachments",
                Table = new("Odd Schema", "files"),
                Parent = "messages",
                ForeignKey = "message id",
                ParentKey = "ID",
                Order = ["n"],
            },
            new()
            {
                Name = "pages",
                Table = new("Odd Schema", "pages"),
                Parent = "attachments",
                ForeignKey = "file",
                ParentKey = "n",
                Order = ["page"],
            },
            new()
            {
                Name = "tags",
                Table = new("Odd Schema", "tags"),
                ForeignKey = "chat",
                ParentKey = "select",
                Order = ["tag"],
            },
        ]
    );

    private const string Create = """"
        CREATE SCHEMA "Odd Schema";
        CREATE TABLE "Odd Schema"."Chat ""Sessions""" ("select" {0} PRIMARY KEY, "Last Seen" timestamptz NOT NULL);
        CREATE TABLE "Odd Schema"."order" ("ID" int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
          "from" {0} NOT NULL REFERENCES "Odd Schema"."Chat ""Sessions""", "At" timestamptz, "back\slash" text);
        CREATE INDEX ON "Odd Schema"."order" ("from");
        CREATE TABLE "Odd Schema".files (n bigint PRIMARY KEY, "message id" int NOT NULL REFERENCES "Odd Schema"."order",
          twice bigint GENERATED ALWAYS AS (n * 2) STORED);
        CREATE INDEX ON "Odd Schema".files ("message id");
        CREATE TABLE "Odd Schema".pages (file bigint NOT NULL REFERENCES "Odd Schema".files, page int) PARTITION BY HASH (file);
        CREATE TABLE "Odd Schema".pages0 PARTITION OF "Odd Schema".pages FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE "Odd Schema".pages1 PARTITION OF "Odd Schema".pages FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        CREATE INDEX ON "Odd Schema".pages (file);
        CREATE TABLE "Odd Schema".tags (chat {0} NOT NULL REFERENCES "Odd Schema"."Chat ""Sessions""", tag text);
        CREATE INDEX ON "Odd Schema".tags (chat);
        INSERT INTO "Odd Schema"."Chat ""Sessions""" SELECT {1}, now() - interval '1 year' FROM generate_series(1, 20) AS i;
        INSERT INTO "Odd Schema"."Chat ""Sessions""" SELECT {1}, now() FROM generate_series(21, 25) AS i;
        INSERT INTO "Odd Schema"."order" ("from", "At", "back\slash") SELECT {1}, CASE WHEN i < 25
          THEN now() - interval '1 year' END, 'a\b' || m FROM generate_series(1, 25) AS i, generate_series(1, 3) AS m;
        INSERT INTO "Odd Schema".files (n, "message id") SELECT "ID" * 10 + f, "ID" FROM "Odd Schema"."order", generate_series(0, 1) AS f;
        INSERT INTO "Odd Schema".pages SELECT n, p FROM "Odd Schema".files, generate_series(1, 2) AS p;
        INSERT INTO "Odd Schema".tags SELECT {1}, 'same' FROM generate_series(1, 25) AS i, generate_series(1, 2);
        """";

    [Theory]
    [InlineData("uuid", "('00000000-0000-0000-0000-' || lpad(i::text, 12, '0'))::uuid")]
    [InlineData("text", "'chat/' || i || ' ~ü''\"\\'")]
    [InlineData("varchar(40)", "'c' || i")]
    [InlineData("smallint", "i - 10")]
    [InlineData("int", "i * 100000 - 1000000")]
    [InlineData("bigint", "i + 9007199254740993")]
    public async Task Archives_a_tree_of_tables_under_any_names_and_keys(string type, string key)
    {
        await using var archiver = await OddAsync(type, key);
        var expected = await RowsAsync(archiver.Database, "\"Last Seen\" < now() - interval '90 days'");
        var staying = await RowsAsync(archiver.Database, "\"Last Seen\" >= now() - interval '90 days'");

        var summary = await archiver.RunAsync(Token);

        Assert.Null(summary.Error);
        Assert.Equal((RunOutcome.Done, 20L), (summary.Outcome, summary.Sessions));
        Assert.Equal(staying, await RowsAsync(archiver.Database, "true"));
        var documents = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in await archiver.Bucket.ListKeysAsync("chat_archives/2"))
        {
            using var document = Parse(await archiver.Bucket.GetRawAsync(name));
            documents.Add(document.RootElement.GetProperty("session").GetProperty("select").ToString(), Flatten(document.RootElement));
        }
        Assert.Equal(expected, documents);
    }

    [Fact]
    public async Task Keeps_a_session_whose_message_got_an_attachment_while_it_was_being_deleted()
    {
        await using var archiver = await OddAsync("int", "i");
        await using var writer = await archiver.Database.DataSource.OpenConnectionAsync(Token);
        // An attachment locks its message, not the session: without the lock on messages nothing would stop it (docs/protocol.md rule 10).
        archiver.Store = new HookedStore(archiver.Store)
        {
            BeforeFirstPut = () =>
                archiver.ExecuteAsync(
                    "BEGIN; INSERT INTO \"Odd Schema\".files (n, \"message id\") SELECT 9999, "
                        + "min(\"ID\") FROM \"Odd Schema\".\"order\" WHERE \"from\" = 7",
                    null,
                    writer
                ),
        };

        var summary = await archiver.RunAsync(Token);
        await archiver.ExecuteAsync("COMMIT", null, writer);

        Assert.Equal((RunOutcome.Done, 19L, 1L), (summary.Outcome, summary.Sessions, summary.Skipped));
        Assert.Equal(1, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM \"Odd Schema\".files WHERE n = 9999"));
    }

    private async Task<ArchiverFixture> OddAsync(string type, string key)
    {
        var archiver = await ArchiverFixture.CreateAsync(servers, Odd, null, null, Token);
        await archiver.ExecuteAsync(
            Create.Replace("{0}", type, StringComparison.Ordinal).Replace("{1}", key, StringComparison.Ordinal),
            null
        );
        return archiver;
    }

    private static JsonDocument Parse(byte[] bytes)
    {
        using var gzip = new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress);
        return JsonDocument.Parse(gzip);
    }

    private static string Flatten(JsonElement root)
    {
        var related = root.GetProperty("related");
        var messages = root.GetProperty("messages").EnumerateArray().Select(m => $"{m.GetProperty("ID")}:{m.GetProperty("back\\slash")}");
        var files = related
            .GetProperty("attachments")
            .EnumerateArray()
            .Select(f => $"{f.GetProperty("n")}:{f.GetProperty("message id")}:{f.GetProperty("twice")}");
        var pages = related
            .GetProperty("pages")
            .EnumerateArray()
            .Select(p => $"{p.GetProperty("file")}:{p.GetProperty("page")}")
            .Order(StringComparer.Ordinal);
        var tags = related.GetProperty("tags").EnumerateArray().Select(t => t.GetProperty("tag").ToString());
        return $"{string.Join(',', messages)}|{string.Join(',', files)}|{string.Join(',', pages)}|{string.Join(',', tags)}";
    }

    private static async Task<SortedDictionary<string, string>> RowsAsync(TestDatabase database, string condition)
    {
        var rows = new SortedDictionary<string, string>(StringComparer.Ordinal);
        await using var command = database.DataSource.CreateCommand(
            $""""
            SELECT s."select"::text,
                   (SELECT string_agg(m."ID" || ':' || m."back\slash", ',' ORDER BY m."At", m."ID") FROM "Odd Schema"."order" m
                     WHERE m."from" = s."select") || '|' ||
                   (SELECT string_agg(f.n || ':' || f."message id" || ':' || f.twice, ',' ORDER BY f.n) FROM "Odd Schema".files f
                     JOIN "Odd Schema"."order" m ON m."ID" = f."message id" WHERE m."from" = s."select") || '|' ||
                   (SELECT string_agg(p.file || ':' || p.page, ',' ORDER BY (p.file || ':' || p.page) COLLATE "C") FROM "Odd Schema".pages p
                     JOIN "Odd Schema".files f ON f.n = p.file JOIN "Odd Schema"."order" m ON m."ID" = f."message id"
                       WHERE m."from" = s."select") || '|' ||
                   (SELECT string_agg(t.tag, ',') FROM "Odd Schema".tags t WHERE t.chat = s."select")
            FROM "Odd Schema"."Chat ""Sessions""" s WHERE {condition}
            """"
        );
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(Token);
        while (await reader.ReadAsync(Token))
            rows.Add(reader.GetString(0), reader.GetString(1));
        return rows;
    }
}
