using System.Text.Json;
using System.Text.RegularExpressions;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>Inspection advises a statement only when it can be executed, and once.</summary>
public sealed partial class AdviceTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // A key of two columns, and rows that are their own sessions: no index makes one column unique.
    [Theory]
    [InlineData(
        "CREATE TABLE chats (tenant text, id text, seen timestamptz NOT NULL, PRIMARY KEY (tenant, id)); INSERT INTO chats VALUES "
            + "('a', 'main', now()), ('b', 'main', now())"
    )]
    [InlineData(
        "CREATE TABLE chats (n serial PRIMARY KEY, id text NOT NULL, seen timestamptz NOT NULL); INSERT INTO chats (id, seen) "
            + "VALUES ('s', now()), ('s', now())"
    )]
    [InlineData(
        "CREATE TABLE chats (n serial, id text NOT NULL, seen timestamptz NOT NULL, PRIMARY KEY (n)) PARTITION BY HASH (n); CREATE "
            + "TABLE chats_0 PARTITION OF chats FOR VALUES WITH (MODULUS 1, REMAINDER 0)"
    )]
    public async Task Advises_no_unique_index_that_cannot_be_made(string schema)
    {
        await using var archiver = await CreateAsync($"{schema}; CREATE INDEX ON chats (seen, id)");

        var plan = await archiver.RunAsync("plan");

        Assert.Equal(3, plan.ExitCode);
        Assert.Contains(
            "Column \"id\" (Key) of table public.chats has no valid unique index on exactly that column",
            plan.Error,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain(
            "UNIQUE INDEX",
            plan.Error.Replace("no valid unique index", "", StringComparison.Ordinal),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Advises_no_constraint_that_rows_break()
    {
        await using var archiver = await CreateAsync(
            "CREATE TABLE chats (id text UNIQUE, seen timestamptz NOT NULL); INSERT INTO chats "
                + "VALUES (NULL, now()); CREATE INDEX ON chats (seen, id)"
        );

        var plan = await archiver.RunAsync("plan");

        Assert.Equal(3, plan.ExitCode);
        Assert.Contains("Some rows have none", plan.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("SET NOT NULL", plan.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("ADD PRIMARY KEY", plan.Error, StringComparison.Ordinal);
    }

    // 0 is "not set": as 1970 it would be long ago, and a purge of what was deleted then took what nobody had deleted.
    [Theory]
    [InlineData("bigint", "(extract(epoch FROM now() - interval '200 days') * 1000)::bigint", "0", "epoch-ms")]
    [InlineData("int", "extract(epoch FROM now() - interval '200 days')::int", "0", "epoch-s")]
    [InlineData("numeric", "extract(epoch FROM now() - interval '200 days') * 1000000", "0", "epoch-us")]
    [InlineData("text", "to_char(now() - interval '200 days', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')", "''", "text")]
    [InlineData("text", "'017f22e2-79b0-7cc3-98c4-dc0c0c07398f'", "''", "uuid")]
    public async Task A_time_of_another_type_is_to_be_mapped_as_what_it_is_and_no_column_is_changed_or_added(
        string type,
        string value,
        string unset,
        string form
    )
    {
        await using var archiver = await CreateAsync(
            $"CREATE TABLE chats (id int PRIMARY KEY, seen {type} NOT NULL, gone {type}); INSERT "
                + $"INTO chats VALUES (1, {unset}, {unset}), (2, {value}, {unset}); CREATE INDEX ON chats (seen, id); CREATE INDEX ON "
                + "chats (gone, id)"
        );
        archiver
            .With("Sources:main:Tables:Session:Deleted", "gone")
            .With("Sources:main:Policies:gone:Action", "Purge")
            .With("Sources:main:Policies:gone:DeletedFor", "30d");

        var plan = await archiver.RunAsync("plan");

        Assert.Equal(3, plan.ExitCode);
        Assert.DoesNotContain("Fix it with", plan.Error, StringComparison.Ordinal);
        Assert.Contains($$"""map it as { "Column": "seen", "As": "{{form}}" }""", plan.Error, StringComparison.Ordinal);
        foreach (var role in new[] { "Activity:0", "Deleted" })
            archiver
                .With($"Sources:main:Tables:Session:{role}", null)
                .With($"Sources:main:Tables:Session:{role}:Column", role == "Deleted" ? "gone" : "seen")
                .With($"Sources:main:Tables:Session:{role}:As", form);
        foreach (var verb in new[] { "plan", "purge", "archive" })
            Assert.Equal((verb, 0), (verb, (await archiver.RunAsync(verb)).ExitCode));
        Assert.Equal("1", await archiver.Database.ScalarAsync<string>("SELECT string_agg(id::text, ',') FROM chats", Token));
    }

    [Fact]
    public async Task A_column_that_it_advised_is_not_advised_again_when_it_was_added()
    {
        await using var archiver = await CreateAsync(
            "CREATE TABLE chats (id int PRIMARY KEY, seen timestamptz NOT NULL, stored timestamptz); CREATE INDEX ON chats (seen, id)"
        );
        archiver.With("Sources:main:Tables:Session:Archived", "stored");

        await FollowAsync(archiver);
        var again = await archiver.RunAsync("plan");

        Assert.Contains("such as stored_flag, which stands beside it already", again.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("ADD COLUMN", again.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await archiver.With("Sources:main:Tables:Session:Archived", "stored_flag").RunAsync("plan")).ExitCode);
    }

    // PostgreSQL cuts a name at 63 bytes without an error: what was advised stood there under another name, and was advised again.
    [Theory]
    [InlineData("bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")]
    [InlineData("üüüüüüüüüüüüüüüüüüüüüüüüüüüüüü")]
    public async Task A_column_that_it_advises_has_a_name_that_fits(string stored)
    {
        await using var archiver = await CreateAsync(
            $"CREATE TABLE chats (id int PRIMARY KEY, seen timestamptz NOT NULL, {stored} timestamptz); CREATE INDEX ON chats (seen, id)"
        );
        archiver.With("Sources:main:Tables:Session:Archived", stored);

        await FollowAsync(archiver);
        var again = await archiver.RunAsync("plan");

        Assert.Contains("_flag, which stands beside it already", again.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("ADD COLUMN", again.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mapped_name_that_no_column_can_have_is_not_advised_but_the_one_that_PostgreSQL_makes_of_it()
    {
        var (mapped, kept) = (new string('s', 64), new string('s', 63));
        await using var archiver = await CreateAsync(
            $"CREATE TABLE chats (id int PRIMARY KEY, {mapped} timestamptz NOT NULL); CREATE INDEX ON chats ({mapped}, id)"
        );

        var plan = await archiver.With("Sources:main:Tables:Session:Activity:0", mapped).RunAsync("plan");

        Assert.Equal(3, plan.ExitCode);
        Assert.Contains($"PostgreSQL keeps 63 bytes of a name: map \"{kept}\"", plan.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("ADD COLUMN", plan.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await archiver.With("Sources:main:Tables:Session:Activity:0", kept).RunAsync("plan")).ExitCode);
    }

    // The index is named by plan, too, where runs go without it; and it is the only statement: a foreign key would break the application
    // below.
    [Fact]
    public async Task What_plan_advises_of_a_source_that_is_fit_is_an_index_and_the_application_goes_on()
    {
        await using var archiver = await CreateAsync(
            """
            CREATE TABLE chats (id int PRIMARY KEY, seen timestamptz NOT NULL); CREATE TABLE messages (id int PRIMARY KEY,
              chat_id int NOT NULL);
            CREATE TABLE audit (id int PRIMARY KEY, chat_id int); CREATE INDEX ON messages (chat_id); INSERT INTO chats
              VALUES (1, now()); INSERT INTO messages VALUES (1, 1)
            """
        );
        foreach (
            var (key, value) in new[]
            {
                ("Table", "messages"),
                ("ForeignKey", "chat_id"),
                ("ParentKey", "id"),
                ("Key", "id"),
                ("Order:0", "id"),
            }
        )
            archiver.With($"Sources:main:Tables:Children:messages:{key}", value);
        archiver.With("Sources:main:Policies:other:Action", "Archive").With("Sources:main:Policies:other:IdleFor", "300d");

        var plan = await archiver.RunAsync("plan");
        var warnings = JsonDocument
            .Parse((await archiver.RunAsync("plan", "--json")).Output)
            .RootElement[0]
            .GetProperty("warnings")
            .EnumerateArray()
            .Select(w => w.GetString()!)
            .ToList();

        Assert.Equal(0, plan.ExitCode);
        Assert.Equal(3, warnings.Count);
        // Two policies, one source: each warning once.
        Assert.Equal(
            warnings.Select(w => $"main: {w}"),
            plan.Output.Split('\n').Where(l => l.StartsWith("main: ", StringComparison.Ordinal))
        );
        Assert.Contains(warnings, w => w.Contains("public.audit.\"chat_id\"", StringComparison.Ordinal));
        var statement = Assert.Single(Advice().Matches(plan.Output)).Groups[1].Value;
        Assert.Equal("CREATE INDEX CONCURRENTLY ON \"public\".\"chats\" (\"seen\", \"id\");", statement);
        await archiver.Database.ExecuteAsync(statement, Token);
        Assert.DoesNotContain("Fix it with", (await archiver.RunAsync("plan")).Output, StringComparison.Ordinal);
        // Messages first, sessions first: in either order.
        await archiver.Database.ExecuteAsync("INSERT INTO messages VALUES (2, 2)", Token);
        await archiver.Database.ExecuteAsync("INSERT INTO chats VALUES (2, now())", Token);
        await archiver.Database.ExecuteAsync("DELETE FROM chats", Token);
        await archiver.Database.ExecuteAsync("DELETE FROM messages", Token);
    }

    private static async Task FollowAsync(Installation archiver)
    {
        var advice = Advice().Matches((await archiver.RunAsync("plan")).Error);
        Assert.NotEmpty(advice);
        foreach (var statement in advice.SelectMany(m => m.Groups[1].Value.Split("; ")))
            await archiver.Database.ExecuteAsync(statement, Token);
    }

    private async Task<Installation> CreateAsync(string schema)
    {
        var archiver = await Installation.CreateAsync(servers, schema, Token);
        archiver
            .With("Sources:main:Tables:Session:Table", "chats")
            .With("Sources:main:Tables:Session:Key", "id")
            .With("Sources:main:Tables:Session:Activity:0", "seen");
        Assert.Equal(0, (await archiver.RunAsync("migrate")).ExitCode);
        return archiver;
    }

    [GeneratedRegex("Fix it with: (.*)")]
    private static partial Regex Advice();
}
