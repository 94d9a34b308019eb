using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>What a test about parts of sessions counts.</summary>
internal static class PartTables
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    internal static readonly string[] Tables = ["members", "attachments", "posts", "channels"];

    internal static Task<string?> StatesAsync(Installation archiver) =>
        archiver.Database.ScalarAsync<string?>(
            "SELECT string_agg(concat_ws(' ', generation, CASE WHEN part THEN 'part' END, state), ', ' ORDER BY generation) FROM "
                + "archiver.archives WHERE session_id = '1'",
            Token
        );

    /// <summary>
    /// Channel 1 of two parts, the second made after more of its posts had become old, and of what was left of it when it was idle; with
    /// all the rows that it had.
    /// </summary>
    internal static async Task<(Installation Archiver, string Rows)> TwoPartsAndTheRestAsync(TestServers servers, string layout = "Session")
    {
        var archiver = await Channels.CreateAsync(
            servers,
            "DELETE FROM attachments WHERE id / 1000 > 1; DELETE FROM posts WHERE "
                + "channel_id > 1; DELETE FROM members WHERE channel_id > 1; DELETE FROM channels WHERE id > 1; UPDATE channels SET "
                + "active_at = now() - interval '1 day'"
        );
        archiver
            .With("Storage:Layout", layout)
            .With("Sources:main:Policies:whole:Action", "Archive")
            .With("Sources:main:Policies:whole:IdleFor", "90d");
        var rows = await archiver.AllRowsAsync();
        await archiver.DoAsync("archive", "--policy", "old");
        archiver.With($"{Channels.Policy}:MessagesOlderThan", "50d");
        await archiver.DoAsync("archive", "--policy", "old");
        Assert.Equal("0 1 2", await archiver.PostsAsync(1));
        archiver
            .With("Sources:main:Policies:whole:IdleFor", "1h")
            .With("Sources:main:Policies:whole:Where", "s.id = 1")
            .With("Sources:main:Tables:Children:messages:Time", null)
            .With($"{Channels.Policy}:Action", null)
            .With($"{Channels.Policy}:Scope", null)
            .With($"{Channels.Policy}:MessagesOlderThan", null);
        await archiver.DoAsync("archive", "--policy", "whole");
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM channels", Token));
        return (archiver, rows);
    }
}
