using System.Text.RegularExpressions;
using Archiver.Core.Configuration;
using Archiver.Core.Settings;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>Every preset on a database as the application itself makes it.</summary>
public sealed partial class PresetTests(TestServers servers)
{
    public static TheoryData<string> Names => [.. Presets.Names];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Archives_what_is_idle_puts_it_back_byte_for_byte_and_erases(string preset)
    {
        await using var archiver = await CreateAsync(preset);
        var before = await RowsAsync(archiver, preset);
        var sessions = await archiver.Database.ScalarAsync<long>(Sessions(Presets.Get(preset).Map.Session), Token);

        var archived = await archiver.RunAsync("archive");

        Assert.True(archived.ExitCode == 0, archived.Error);
        var idle = int.Parse(Count().Match(archived.Output).Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(idle, 30, 150);
        Assert.Equal(sessions - idle, await archiver.Database.ScalarAsync<long>(Sessions(Presets.Get(preset).Map.Session), Token));
        var verified = await archiver.RunAsync("verify", "--all");
        Assert.True(verified.ExitCode == 0, verified.Error);
        // A trigger of Chatwoot's renumbers what is inserted, and that of status-expiry calls itself.
        var restored = await archiver.RunAsync([
            "restore",
            "--from",
            "2000-01-01",
            .. preset is "chatwoot" or "status-expiry" ? new[] { "--disable-triggers" } : [],
        ]);
        Assert.True(restored.ExitCode == 0, $"{restored.Output}{restored.Error}");
        Assert.Equal(before, await RowsAsync(archiver, preset));
        await EraseOneAsync(archiver, preset);
    }

    // LobeChat's keys would set what other messages quote to NULL, and delete what is grouped below.
    [Fact]
    public async Task Changes_no_message_of_LobeChat_that_points_to_a_topic_which_is_due()
    {
        await using var archiver = await CreateAsync("lobe-chat");
        var others = await OthersAsync();

        var archived = await archiver.RunAsync("archive");
        var again = await archiver.RunAsync("archive");
        var erased = await archiver.RunAsync("erase", "tpc_1", "--yes");

        Assert.True(archived.ExitCode == 0, archived.Error);
        Assert.Contains("done, 148 sessions archived", archived.Output, StringComparison.Ordinal);
        Assert.True(again.ExitCode == 0, again.Error);
        Assert.Equal(1, erased.ExitCode);
        Assert.Equal(others, await OthersAsync());

        Task<string> OthersAsync() =>
            archiver.Database.CopyOutAsync(
                """
                SELECT m.xmin, m.* FROM messages m LEFT JOIN topics t ON t.id = m.topic_id
                WHERE coalesce(t.updated_at, now()) > now() - interval '90 days' OR t.id IN ('tpc_1', 'tpc_2') ORDER BY m.id
                """,
                Token
            );
    }

    /// <summary>One that was restored has rows and an object; afterwards nothing of it is left.</summary>
    private static async Task EraseOneAsync(Installation archiver, string preset)
    {
        var map = Presets.Get(preset).Map;
        var id = await archiver.Database.ScalarAsync<string>("SELECT min(session_id) FROM archiver.archives", Token);

        var erased = await archiver.RunAsync("erase", id!, "--yes");

        Assert.True(erased.ExitCode == 0, erased.Error);
        Assert.Equal(1, (await archiver.RunAsync("show", id!)).ExitCode);
        var ofSession = map
            .Children.Where(c => c.Parent == SourceMap.SessionName && c.ParentKey == map.Session.Key && c.Where.Count == 0)
            .Select(c => (c.Table, c.ForeignKey));
        foreach (var (table, key) in ofSession.Prepend((map.Session.Table, map.Session.Key)))
            Assert.Equal(
                0,
                await archiver.Database.ScalarAsync<long>(
                    $"SELECT count(*) FROM {table.Sql} WHERE {Id(key)} = '{id!.Replace("'", "''", StringComparison.Ordinal)}'",
                    Token
                )
            );
    }

    private static string Id(KeyColumns key) =>
        key.Only is { } only ? $"\"{only}\"::text" : $"to_json(ARRAY[{string.Join(", ", key.Select(k => $"\"{k}\"::text"))}])::text";

    /// <summary>The tables with their rows, the preset, and what inspection says is missing.</summary>
    private async Task<Installation> CreateAsync(string preset)
    {
        var schema = await File.ReadAllTextAsync(Repository.File("tests", "Testing", "applications", $"{preset}.sql"), Token);
        var archiver = (await Installation.CreateAsync(servers, schema, Token, ledger: false)).With("Sources:main:Preset", preset);
        var migrated = await archiver.RunAsync("migrate");
        Assert.True(migrated.ExitCode == 0, migrated.Error);
        if (await archiver.RunAsync("plan") is { ExitCode: 3 } refused)
        {
            foreach (var statement in Advice().Matches(refused.Error).SelectMany(m => m.Groups[1].Value.Split("; ")))
                await archiver.Database.ExecuteAsync(statement, Token);
        }
        var plan = await archiver.RunAsync("plan");
        Assert.True(plan.ExitCode == 0, plan.Error);
        return archiver;
    }

    /// <summary>Their number; one without a row is every key that occurs.</summary>
    private static string Sessions(SessionTable session) => $"SELECT count(DISTINCT ({session.Key.Sql})) FROM {session.Table.Sql}";

    /// <summary>Every row of the tables that are there, as text.</summary>
    private static async Task<string> RowsAsync(Installation archiver, string preset)
    {
        var map = Presets.Get(preset).Map;
        var rows = "";
        foreach (var table in map.Children.Select(c => c.Table).Append(map.Session.Table).Distinct())
            rows += await archiver.Database.CopyOutAsync($"SELECT t.* FROM {table.Sql} AS t ORDER BY t::text COLLATE \"C\"", Token);
        return rows;
    }

    [GeneratedRegex("Fix it with: (.*)")]
    private static partial Regex Advice();

    [GeneratedRegex("(\\d+) sessions archived")]
    private static partial Regex Count();
}
