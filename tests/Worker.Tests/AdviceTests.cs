using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>Inspection advises a statement only when it can be executed, and once.</summary>
public sealed class AdviceTests(TestServers servers) : AdviceScenario(servers)
{
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
        // Nor is it said that one could be made.
        Assert.Matches("can have (none|one only)", plan.Error);
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
}
