using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>
/// What protects sessions is kept under the name of a source; it must not be lost because somebody writes the name in another way.
/// </summary>
public sealed class SourceNameTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_environment_in_capitals_does_not_make_another_source_of_it()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 0);
        Purges(archiver, "main");
        var held = await archiver.Database.ScalarAsync<string>("SELECT min(session_id::text) FROM chat_sessions");
        await archiver.RunAsync("hold", "add", "--session", held!, "--reason", "case 1");
        await archiver.RunAsync("pause", "MAIN/End");
        // As a container's environment has it, and as some shells write all of it.
        archiver.With("SOURCES:MAIN:TIMEZONE", "UTC").With("SOURCES:MAIN:POLICIES:END:ORDER", "1");

        var paused = await archiver.RunAsync("purge");
        var resumed = await archiver.RunAsync("resume", "Main/END");
        var purged = await archiver.RunAsync("purge", "--source", "MAIN", "--policy", "Main/End");

        Assert.Contains("not run: paused", paused.Output, StringComparison.Ordinal);
        Assert.Contains("resumed", resumed.Output, StringComparison.Ordinal);
        Assert.Equal((0, ""), (purged.ExitCode, purged.ExitCode == 0 ? "" : purged.Error));
        Assert.Equal(held, await archiver.Database.ScalarAsync<string>("SELECT string_agg(session_id::text, ',') FROM chat_sessions"));
        Assert.Equal("main/end", await archiver.Database.ScalarAsync<string>("SELECT source || '/' || policy FROM archiver.runs"));
    }

    [Fact]
    public async Task Under_another_name_nothing_is_done_until_the_source_is_renamed()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 4, young: 0);
        Purges(archiver, "main");
        var ids = (
            await archiver.Database.ScalarAsync<string>("SELECT string_agg(session_id::text, ',' ORDER BY 1) FROM chat_sessions")
        )!.Split(',');
        await archiver.RunAsync("archive", "--max-sessions", "2");
        await archiver.RunAsync("erase", ids[0], "--yes");
        foreach (var id in ids)
            await archiver.RunAsync("hold", "add", "--session", id, "--reason", "case 1");
        await archiver.RunAsync("pause", "main/idle");
        archiver.RenameSource("main", "chat");
        archiver.With("Discard:After", "365d");
        var rows = await archiver.RowsAsync();

        foreach (
            var command in new string[][]
            {
                ["archive"],
                ["purge"],
                ["plan"],
                ["status"],
                ["list"],
                ["show", ids[1]],
                ["query", "SELECT 1"],
                ["search", "text"],
                ["explain", ids[1]],
                ["verify", "--all"],
                ["reconcile"],
                ["reconcile", "--fix", "--yes"],
                ["discard"],
                ["discard", "--yes"],
                ["erase", ids[1]],
                ["erase", ids[1], "--yes"],
                ["restore", ids[1]],
                ["hold", "list"],
                ["hold", "add", "--session", ids[1], "--reason", "x"],
                ["hold", "remove", "1"],
                ["pause"],
                ["resume"],
                ["accept", "chat/idle"],
                ["quarantine", "list"],
                ["quarantine", "retry", "--all"],
                ["ledger", "rebuild"],
                ["migrate"],
            }
        )
        {
            var refused = await archiver.RunAsync(command);
            Assert.True(refused.ExitCode == 3, $"{string.Join(' ', command)}: {refused.ExitCode} {refused.Output} {refused.Error}");
            Assert.Contains("archiver source rename main chat", refused.Output + refused.Error, StringComparison.Ordinal);
        }
        Assert.Equal(rows, await archiver.RowsAsync());
        Assert.Equal(1, (await archiver.RunAsync("source", "rename", "other", "chat")).ExitCode);

        var renamed = await archiver.RunAsync("source", "rename", "Main", "Chat");

        Assert.True(renamed.ExitCode == 0, renamed.Error);
        Assert.Contains("paused", (await archiver.RunAsync("archive")).Output, StringComparison.Ordinal);
        await archiver.RunAsync("purge");
        Assert.Equal(rows, await archiver.RowsAsync());
        Assert.Contains(ids[1], (await archiver.RunAsync("hold", "list")).Output, StringComparison.Ordinal);
        var restored = await archiver.RunAsync("restore", "--from", "2000-01-01");
        Assert.True(restored.ExitCode == 0, restored.Output + restored.Error);
        Assert.Equal(3, await archiver.LiveSessionsAsync());
        Assert.Equal(0, (await archiver.RunAsync("verify", "--all")).ExitCode);
        Assert.Contains("public.chat_messages", (await archiver.RunAsync("source", "list")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_sources_never_share_a_table()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 0);
        archiver
            .With("Sources:second:Preset", "ended-at")
            .With("Sources:second:Prefix", "second")
            .With("Sources:second:ConnectionString", archiver.Database.ConnectionString);
        var one = await archiver.RunAsync("archive");
        Assert.Equal(2, one.ExitCode);
        Assert.Contains("maps public.chat_sessions of the same database as source 'main'", one.Error, StringComparison.Ordinal);

        // Two workers, or another spelling of the address: the second one's messages are the first one's sessions.
        archiver.With("Sources:second:Preset", null).With("Sources:second:Prefix", null).With("Sources:second:ConnectionString", null);
        Assert.Equal(0, (await archiver.RunAsync("pause")).ExitCode);
        archiver.RenameSource("main", "second");
        await archiver.Database.ExecuteAsync(
            "CREATE TABLE rooms (room_id uuid PRIMARY KEY, used timestamptz); ALTER TABLE chat_sessions ADD room_id uuid REFERENCES rooms"
        );
        archiver.With("Sources:second:Preset", null);
        foreach (var (key, value) in new[] { ("Table", "public.rooms"), ("Key", "room_id"), ("Activity:0", "used") })
            archiver.With($"Sources:second:Tables:Session:{key}", value);
        foreach (
            var (key, value) in new[]
            {
                ("Table", "public.chat_sessions"),
                ("ForeignKey", "room_id"),
                ("ParentKey", "room_id"),
                ("Order:0", "session_id"),
            }
        )
            archiver.With($"Sources:second:Tables:Children:sessions:{key}", value);
        var other = await archiver.RunAsync("hold", "add", "--from", "2020-01-01", "--reason", "x");
        Assert.Equal(3, other.ExitCode);
        Assert.Contains("knows table public.chat_sessions as one of source 'main'", other.Error, StringComparison.Ordinal);
        // And no renaming gives the holds of one source to another that has a session table of its own.
        Assert.Equal(3, (await archiver.RunAsync("source", "rename", "main", "second")).ExitCode);
    }

    private static void Purges(Installation archiver, string source) =>
        archiver.With($"Sources:{source}:Policies:end:Action", "Purge").With($"Sources:{source}:Policies:end:IdleFor", "90d");
}
