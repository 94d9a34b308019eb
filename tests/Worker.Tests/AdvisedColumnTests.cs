using System.Text.Json;
using System.Text.RegularExpressions;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>A column or index that inspection advises can be made, has a name that fits, and is advised once.</summary>
public sealed partial class AdvisedColumnTests(TestServers servers) : AdviceScenario(servers)
{
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

    [GeneratedRegex("Fix it with: (.*)")]
    private static partial Regex Advice();
}
