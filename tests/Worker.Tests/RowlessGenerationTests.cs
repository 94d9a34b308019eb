using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>
/// What came since under the key of a session without a row is archived beside what was archived before: none of these archives stands for
/// another, and all of them come back.
/// </summary>
public sealed class RowlessGenerationTests(TestServers servers) : RowlessChats(servers)
{
    [Fact]
    public async Task All_archives_of_a_session_come_back_by_its_id()
    {
        await using var archiver = await TwiceArchivedAsync();

        var restored = await archiver.RunAsync("restore", Key(1));

        Assert.True(restored.ExitCode == 0, restored.Error + restored.Output);
        Assert.Equal("again hello hello", await TextsAsync(archiver));
        Assert.Equal("restored restored", await StatesAsync(archiver));
    }

    [Fact]
    public async Task A_restore_of_one_leaves_the_other_archived_for_the_next()
    {
        await using var archiver = await TwiceArchivedAsync();
        Assert.Equal(0, (await archiver.RunAsync("restore", Key(1), "--generation", "2")).ExitCode);
        Assert.Equal("archived restored", await StatesAsync(archiver));

        // Rows under the same key are no sign that archived ones are back.
        var reconciled = await archiver.RunAsync("reconcile", "--fix", "--yes");
        Assert.True(reconciled.ExitCode == 0, reconciled.Error + reconciled.Output);
        Assert.Equal("archived restored", await StatesAsync(archiver));

        var restored = await archiver.RunAsync("restore", Key(1));
        Assert.True(restored.ExitCode == 0, restored.Error + restored.Output);
        Assert.Equal("again hello hello", await TextsAsync(archiver));
    }

    [Fact]
    public async Task A_ledger_made_anew_knows_all_of_them_beside_live_rows()
    {
        await using var archiver = await TwiceArchivedAsync();
        await AddAsync(archiver, "young", "now()");

        await RebuildAsync(archiver);

        Assert.Equal("archived archived", await StatesAsync(archiver));
        Assert.Equal(0, (await archiver.RunAsync("reconcile")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("restore", Key(1))).ExitCode);
        Assert.Equal("again hello hello young", await TextsAsync(archiver));
    }

    [Fact]
    public async Task What_was_restored_and_archived_again_comes_back_once()
    {
        await using var archiver = await TwiceArchivedAsync();
        Assert.Equal(0, (await archiver.RunAsync("restore", Key(1))).ExitCode);
        await archiver.Database.ExecuteAsync("UPDATE archiver.archives SET restored_at = now() - interval '60 days'", Token);
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        Assert.Equal("restored restored archived", await StatesAsync(archiver));

        await RebuildAsync(archiver);

        Assert.Equal("superseded superseded archived", await StatesAsync(archiver));
        var restored = await archiver.RunAsync("restore", Key(1));
        Assert.True(restored.ExitCode == 0, restored.Error + restored.Output);
        Assert.Equal("again hello hello", await TextsAsync(archiver));
    }

    [Fact]
    public async Task What_gave_way_to_an_older_archive_does_not_come_back_with_the_others()
    {
        await using var archiver = await TwiceArchivedAsync();
        await AddAsync(archiver, "young", "now()");

        var replaced = await archiver.RunAsync("restore", Key(1), "--on-conflict", "replace");

        Assert.True(replaced.ExitCode == 0, replaced.Error + replaced.Output);
        Assert.Equal("again", await TextsAsync(archiver));
        Assert.Equal("archived restored superseded", await StatesAsync(archiver));
        Assert.Equal(0, (await archiver.RunAsync("restore", Key(1))).ExitCode);
        Assert.Equal("again hello hello", await TextsAsync(archiver));
    }

    [Fact]
    public async Task A_query_reads_all_of_them()
    {
        await using var archiver = await TwiceArchivedAsync();

        var answer = await archiver.RunAsync(
            "query",
            $"SELECT string_agg(body, ' ' ORDER BY body) AS texts FROM messages WHERE session_id = '{Key(1)}'",
            "--csv"
        );

        Assert.True(answer.ExitCode == 0, answer.Error);
        Assert.Contains("again hello hello", answer.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_ledger_the_newest_comes_back_and_the_older_ones_are_named()
    {
        await using var archiver = await TwiceArchivedAsync();
        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE", Token);

        var restored = await archiver.RunAsync("restore", Key(1));

        Assert.Equal(1, restored.ExitCode);
        Assert.Contains("an older archive of it", restored.Output + restored.Error, StringComparison.Ordinal);
        Assert.Equal("again", await TextsAsync(archiver));
    }

    [Fact]
    public async Task Messages_without_a_key_are_not_doubled_by_a_second_restore()
    {
        await using var archiver = await CreateAsync("timestamptz", null, "{0}", "text");
        archiver.With("Sources:main:Tables:Children:messages:Key", null).With("Sources:main:Tables:Children:messages:Order:0", "at");
        await archiver.Database.ExecuteAsync("ALTER TABLE messages DROP COLUMN id", Token);
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("restore", Key(1))).ExitCode);
        await AddAsync(archiver, "young", "now()");

        var again = await archiver.RunAsync("restore", Key(1));

        Assert.True(again.ExitCode == 0, again.Error + again.Output);
        Assert.Equal("hello hello young", await TextsAsync(archiver));
    }

    // Two old messages are archived; another one comes, grows old, and is archived, too.
    private async Task<Installation> TwiceArchivedAsync()
    {
        var archiver = await CreateAsync("timestamptz", null, "{0}", "text");
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        await AddAsync(archiver, "again", "now() - interval '150 days'");
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        Assert.Equal("archived archived", await StatesAsync(archiver));
        return archiver;
    }

    private static async Task RebuildAsync(Installation archiver)
    {
        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE", Token);
        var rebuilt = await archiver.RunAsync("ledger", "rebuild");
        Assert.True(rebuilt.ExitCode == 0, rebuilt.Error + rebuilt.Output);
    }

    private static Task<int> AddAsync(Installation archiver, string body, string at) =>
        archiver.Database.ExecuteAsync($"INSERT INTO messages (session_id, body, at) VALUES ('{Key(1)}', '{body}', {at})", Token);

    private static Task<string?> TextsAsync(Installation archiver) =>
        archiver.Database.ScalarAsync<string?>(
            $"SELECT string_agg(body, ' ' ORDER BY body) FROM messages WHERE session_id = '{Key(1)}'",
            Token
        );

    private static Task<string?> StatesAsync(Installation archiver) =>
        archiver.Database.ScalarAsync<string?>(
            $"SELECT string_agg(state, ' ' ORDER BY generation) FROM archiver.archives WHERE session_id = '{Key(1)}'",
            Token
        );
}
