using System.Text.RegularExpressions;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>
/// Nobody is advised into loss: what inspection prints is executed where it was printed, and the application goes on afterwards as it did.
/// </summary>
public sealed partial class HarmlessAdviceTests(TestServers servers)
{
    private const string Tables = """
        CREATE TABLE people (id int PRIMARY KEY);
        CREATE TABLE chats (id int PRIMARY KEY, person int REFERENCES people, seen timestamptz NOT NULL DEFAULT now());
        CREATE TABLE messages (id int PRIMARY KEY, chat_id int NOT NULL REFERENCES chats ON DELETE CASCADE, at timestamptz DEFAULT now());
        CREATE INDEX ON chats (seen, id); CREATE INDEX ON messages (chat_id);
        INSERT INTO people VALUES (1), (2); INSERT INTO chats VALUES (1, 1), (2, 2); INSERT INTO messages VALUES (1, 1), (2, 2);
        """;

    /// <summary>By position, as an application that was there before a column was.</summary>
    private const string Application = """
        INSERT INTO chats VALUES (8, 1), (9, 1); INSERT INTO messages VALUES (80, 8), (90, 9); UPDATE chats SET seen = now();
        INSERT INTO chats VALUES (8, 2) ON CONFLICT (id) DO UPDATE SET person = 2; DELETE FROM chats WHERE id = 8; DELETE FROM messages
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("Ended", "ended", "SELECT 1", "ADD COLUMN \"ended\" timestamptz")]
    [InlineData("Archived", "stored", "SELECT 1", "ADD COLUMN \"stored\" boolean NOT NULL DEFAULT false")]
    [InlineData("ArchiveLocation", "place", "SELECT 1", "ADD COLUMN \"place\" text")]
    [InlineData(
        "Archived",
        "stored",
        "ALTER TABLE chats ADD COLUMN stored int",
        "ADD COLUMN \"stored_flag\" boolean NOT NULL DEFAULT false"
    )]
    [InlineData(null, null, "DROP INDEX messages_chat_id_idx", "CREATE INDEX CONCURRENTLY ON \"public\".\"messages\"")]
    [InlineData(null, null, "DROP INDEX chats_seen_id_idx", "CREATE INDEX CONCURRENTLY ON \"public\".\"chats\"")]
    [InlineData(
        null,
        null,
        "CREATE TABLE pins (id int, chat int REFERENCES chats)",
        "CREATE INDEX CONCURRENTLY ON \"public\".\"pins\" (\"chat\")"
    )]
    [InlineData(
        null,
        null,
        "CREATE TABLE pins (id int, chat int REFERENCES chats) PARTITION BY LIST (id); CREATE TABLE pins_1 PARTITION OF pins DEFAULT",
        "CREATE INDEX ON \"public\".\"pins\" (\"chat\")"
    )]
    [InlineData(
        null,
        null,
        "ALTER TABLE messages DROP CONSTRAINT messages_pkey; CREATE UNIQUE INDEX ON messages (id)",
        "ALTER TABLE \"public\".\"messages\" ADD PRIMARY KEY (\"id\")"
    )]
    [InlineData(
        null,
        null,
        "ALTER TABLE messages SET UNLOGGED; ALTER TABLE chats SET UNLOGGED",
        "ALTER TABLE \"public\".\"chats\" SET LOGGED; ALTER TABLE \"public\".\"messages\" SET LOGGED"
    )]
    [InlineData(
        null,
        null,
        "CREATE ACCESS METHOD columnar TYPE TABLE HANDLER heap_tableam_handler; ALTER TABLE messages SET ACCESS METHOD columnar",
        "ALTER TABLE \"public\".\"messages\" SET ACCESS METHOD heap"
    )]
    public async Task What_it_advises_can_be_executed_and_the_application_goes_on(
        string? role,
        string? column,
        string spoilt,
        string expected
    )
    {
        await using var archiver = await CreateAsync(spoilt, role, column);
        List<string> done = [];

        // One statement may be the condition of another.
        for (var round = 0; round < 3; round++)
        {
            foreach (var statement in await AdviceAsync(archiver))
            {
                await archiver.Database.ExecuteAsync(statement, Token);
                done.Add(statement);
            }
        }

        Assert.Contains(expected, string.Join("; ", done), StringComparison.Ordinal);
        Assert.Empty((await AdviceAsync(archiver)).Intersect(done));
        await archiver.Database.ExecuteAsync(Application, Token);
    }

    // Each of these was once advised a statement with which its application's own writes fail or take other rows along.
    [Theory]
    [InlineData(
        "has no valid unique index",
        "ALTER TABLE messages DROP CONSTRAINT messages_chat_id_fkey; ALTER TABLE chats DROP CONSTRAINT chats_pkey",
        "INSERT INTO chats VALUES (8, 1), (8, 2)"
    )]
    [InlineData(
        "may be NULL",
        "ALTER TABLE messages DROP CONSTRAINT messages_chat_id_fkey; ALTER TABLE chats DROP CONSTRAINT chats_pkey; "
            + "ALTER TABLE chats ALTER id DROP NOT NULL, ADD UNIQUE (id)",
        "INSERT INTO chats VALUES (NULL, 1)"
    )]
    [InlineData(
        "has no primary key",
        "ALTER TABLE messages DROP CONSTRAINT messages_pkey, ALTER id DROP NOT NULL",
        "INSERT INTO messages VALUES (8, 1), (8, 1), (NULL, 1)"
    )]
    [InlineData(
        "ON DELETE SET NULL",
        "CREATE TABLE pins (chat int REFERENCES chats ON DELETE SET NULL); CREATE INDEX ON pins (chat); INSERT INTO pins VALUES (1)",
        "DELETE FROM chats"
    )]
    [InlineData(
        "ON DELETE CASCADE",
        "CREATE TABLE pins (chat int REFERENCES chats ON DELETE CASCADE); CREATE INDEX ON pins (chat); INSERT INTO pins VALUES (1)",
        "DELETE FROM chats"
    )]
    [InlineData("disabled internal triggers", "ALTER TABLE messages DISABLE TRIGGER ALL", "INSERT INTO messages VALUES (8, 8)")]
    [InlineData(
        "has no column \"ended\"",
        "CREATE TABLE gone (LIKE chats); CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS "
            + "'BEGIN INSERT INTO public.gone SELECT OLD.*; RETURN OLD; END'; "
            + "CREATE TRIGGER keep BEFORE DELETE ON chats FOR EACH ROW EXECUTE FUNCTION keep()",
        "DELETE FROM chats"
    )]
    public async Task It_advises_no_statement_with_which_the_application_would_fail(string says, string spoilt, string application)
    {
        await using var archiver = await CreateAsync(
            spoilt,
            "Ended",
            says.EndsWith("\"ended\"", StringComparison.Ordinal) ? "ended" : null
        );

        var plan = await archiver.RunAsync("plan");

        Assert.Contains(says, plan.Error + plan.Output, StringComparison.Ordinal);
        foreach (var statement in await AdviceAsync(archiver))
            await archiver.Database.ExecuteAsync(statement, Token);
        await archiver.Database.ExecuteAsync(application, Token);
    }

    // The server would refuse to make messages durable before what they point to is.
    [Fact]
    public async Task A_table_that_points_to_an_unlogged_one_is_advised_after_it()
    {
        await using var archiver = await CreateAsync(
            "ALTER TABLE messages SET UNLOGGED; ALTER TABLE chats SET UNLOGGED; ALTER TABLE people SET UNLOGGED"
        );

        Assert.Empty(await AdviceAsync(archiver));
        Assert.Contains("First public.people must be logged", (await archiver.RunAsync("plan")).Output, StringComparison.Ordinal);
    }

    /// <summary>The statements that a plan prints, one by one.</summary>
    private static async Task<IReadOnlyList<string>> AdviceAsync(Installation archiver)
    {
        var plan = await archiver.RunAsync("plan");
        return
        [
            .. Advice()
                .Matches(plan.Error + plan.Output)
                .SelectMany(m => m.Groups[1].Value.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
                .Distinct(),
        ];
    }

    private async Task<Installation> CreateAsync(string spoilt, string? role = null, string? column = null)
    {
        var archiver = await Installation.CreateAsync(servers, $"{Tables} {spoilt}", Token);
        foreach (
            var (key, value) in new[]
            {
                ("Session:Table", "chats"),
                ("Session:Key", "id"),
                ("Session:Activity:0", "seen"),
                ("Children:messages:Table", "messages"),
                ("Children:messages:ForeignKey", "chat_id"),
                ("Children:messages:ParentKey", "id"),
                ("Children:messages:Key", "id"),
                ("Children:messages:Order:0", "id"),
            }
        )
            archiver.With($"Sources:main:Tables:{key}", value);
        if (role is not null && column is not null)
            archiver.With($"Sources:main:Tables:Session:{role}", column);
        Assert.Equal(0, (await archiver.RunAsync("migrate")).ExitCode);
        return archiver;
    }

    [GeneratedRegex("Fix it with: (.*)")]
    private static partial Regex Advice();
}
