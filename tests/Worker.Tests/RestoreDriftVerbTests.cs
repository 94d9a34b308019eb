using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>
/// A column has another type than when its session was archived: what the same value is comes back as it was, and nothing else is called
/// done.
/// </summary>
public sealed class RestoreDriftVerbTests(TestServers servers)
{
    private const string Zone = "'Europe/Berlin'";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("timestamp", "2026-07-01 12:00:00", "timestamptz USING at AT TIME ZONE " + Zone, "2026-07-01 10:00:00+00")]
    [InlineData("timestamp", "2026-01-15 12:00:00.123456", "timestamptz USING at AT TIME ZONE " + Zone, "2026-01-15 11:00:00.123456+00")]
    [InlineData("timestamp", "infinity", "timestamptz USING at AT TIME ZONE " + Zone, "infinity")]
    [InlineData("timestamptz", "2026-07-01 10:00:00+00", "timestamp USING at AT TIME ZONE " + Zone, "2026-07-01 12:00:00")]
    [InlineData("timestamptz", "2026-10-25 01:30:00+00", "timestamp USING at AT TIME ZONE " + Zone, "2026-10-25 02:30:00")]
    [InlineData("date", "2026-07-01", "timestamptz USING at::timestamp AT TIME ZONE " + Zone, "2026-06-30 22:00:00+00")]
    [InlineData("timestamptz", "2026-06-30 22:00:00+00", "date USING (at AT TIME ZONE " + Zone + ")::date", "2026-07-01")]
    [InlineData("date", "2026-07-01", "timestamp", "2026-07-01 00:00:00")]
    public async Task Times_come_back_as_the_instants_that_they_were(string type, string value, string change, string expected)
    {
        await using var archiver = await ChatAsync($"at {type}", $"'{value}'");
        await ChangeAsync(archiver, $"ALTER COLUMN at TYPE {change}");

        var result = await archiver.RunAsync("restore", "1");
        var drill = await archiver.RunAsync("verify", "--restore-drill", "1");

        Assert.True(result.ExitCode == 0, result.Error + result.Output);
        Assert.Equal(expected, await ValueAsync(archiver));
        Assert.True(drill.ExitCode == 0, drill.Error + drill.Output);
    }

    [Theory]
    [InlineData(
        "timestamp",
        "2026-03-29 02:30:00",
        "timestamptz",
        "was timestamp without time zone, is timestamp with time zone",
        "2026-03-29 01:30:00+00"
    )]
    [InlineData(
        "timestamp",
        "2026-10-25 02:30:00",
        "timestamptz",
        "was timestamp without time zone, is timestamp with time zone",
        "2026-10-25 01:30:00+00"
    )]
    [InlineData(
        "timestamptz",
        "2026-10-25 00:30:00+00",
        "timestamp",
        "was timestamp with time zone, is timestamp without time zone",
        "2026-10-25 02:30:00"
    )]
    [InlineData("timestamptz", "2026-07-01 10:00:00+00", "date", "was timestamp with time zone, is date", "2026-07-01")]
    [InlineData("numeric", "1.239", "numeric(9,2)", "was numeric, is numeric(9,2)", "1.24")]
    public async Task A_value_that_cannot_be_exact_is_refused_with_its_column_until_a_person_accepts_it(
        string type,
        string value,
        string today,
        string reason,
        string accepted
    )
    {
        await using var archiver = await ChatAsync($"at {type}", $"'{value}'");
        await ChangeAsync(archiver, $"ALTER COLUMN at TYPE {today}");

        var refused = await archiver.RunAsync("restore", "1");
        var live = await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat");
        var result = await archiver.RunAsync("restore", "1", "--accept-loss", "at");

        Assert.Equal((1, 0L), (refused.ExitCode, live));
        Assert.Contains($"'at' {reason}", refused.Output, StringComparison.Ordinal);
        Assert.True(result.ExitCode == 0, result.Error + result.Output);
        Assert.Equal(accepted, await ValueAsync(archiver));
    }

    [Fact]
    public async Task Local_times_in_an_array_are_not_taken_for_instants()
    {
        await using var archiver = await ChatAsync("at timestamp[]", "'{2026-07-01 12:00:00}'");
        await ChangeAsync(archiver, "ALTER COLUMN at TYPE timestamptz[]");

        var result = await archiver.RunAsync("restore", "1");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains(
            "column 'at' of public.chat was timestamp without time zone[] and is timestamp with time zone[] today",
            result.Output,
            StringComparison.Ordinal
        );
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat"));
    }

    [Fact]
    public async Task Json_that_is_jsonb_now_comes_back_as_the_same_value()
    {
        await using var archiver = await ChatAsync("at json", """'{"b":1, "a":[1,2]}'""");
        await ChangeAsync(archiver, "ALTER COLUMN at TYPE jsonb");

        var result = await archiver.RunAsync("restore", "1");
        var again = await archiver.RunAsync("restore", "1", "--on-conflict", "skip");
        var drill = await archiver.RunAsync("verify", "--restore-drill", "1");

        Assert.True(result.ExitCode == 0, result.Error + result.Output);
        Assert.Equal("""{"a": [1, 2], "b": 1}""", await ValueAsync(archiver));
        Assert.Contains("1 session there already, unchanged", again.Output, StringComparison.Ordinal);
        Assert.Equal((0, 0), (again.ExitCode, drill.ExitCode));
    }

    [Fact]
    public async Task Json_with_a_key_twice_is_refused_as_jsonb_until_a_person_accepts_the_last()
    {
        await using var archiver = await ChatAsync("at json", """'{"a":{"k":1,"k":2}}'""");
        await ChangeAsync(archiver, "ALTER COLUMN at TYPE jsonb");

        var refused = await archiver.RunAsync("restore", "1");
        var result = await archiver.RunAsync("restore", "1", "--accept-loss", "at");

        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("column 'at' of public.chat was json and is jsonb today", refused.Output, StringComparison.Ordinal);
        Assert.Contains("--accept-loss at", refused.Output, StringComparison.Ordinal);
        Assert.True(result.ExitCode == 0, result.Error + result.Output);
        Assert.Equal("""{"a": {"k": 2}}""", await ValueAsync(archiver));
    }

    [Fact]
    public async Task Json_that_jsonb_does_not_take_is_refused_with_its_column()
    {
        await using var archiver = await ChatAsync("at json", """'{"a":"\u0000"}'""");
        await ChangeAsync(archiver, "ALTER COLUMN at TYPE jsonb");

        var result = await archiver.RunAsync("restore", "1");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("'at' of public.chat was json, is jsonb", result.Output, StringComparison.Ordinal);
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat"));
    }

    /// <summary>One session in one table, archived.</summary>
    private async Task<Installation> ChatAsync(string column, string value)
    {
        var archiver = await Installation.CreateAsync(servers, Token, idle: 0, young: 0);
        await archiver.Database.ExecuteAsync(
            $"""
            CREATE TABLE chat (id int PRIMARY KEY, updated_at timestamptz NOT NULL, {column});
            CREATE INDEX ON chat (updated_at, id);
            INSERT INTO chat VALUES (1, now() - interval '200 days', {value});
            """,
            Token
        );
        archiver
            .With("Sources:main:Preset", null)
            .With("Sources:main:TimeZone", "Europe/Berlin")
            .With("Sources:main:Tables:Session:Table", "chat")
            .With("Sources:main:Tables:Session:Key", "id")
            .With("Sources:main:Tables:Session:Activity:0", "updated_at");
        var archived = await archiver.RunAsync("archive");
        Assert.True(archived.ExitCode == 0, archived.Error + archived.Output);
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat"));
        return archiver;
    }

    private static Task<int> ChangeAsync(Installation archiver, string change) =>
        archiver.Database.ExecuteAsync($"ALTER TABLE chat {change}", Token);

    private static async Task<string?> ValueAsync(Installation archiver) =>
        (await archiver.Database.CopyOutAsync("SELECT at::text FROM (SELECT set_config('TimeZone', 'UTC', false)) AS z, chat")).TrimEnd(
            '\n'
        );
}
