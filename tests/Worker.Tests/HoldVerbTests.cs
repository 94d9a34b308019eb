using System.Text.Json;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>Legal holds at the command line.</summary>
public sealed class HoldVerbTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_person_adds_lists_and_removes_holds()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 1);
        var session = await archiver.Database.ScalarAsync<string>(
            "SELECT session_id::text FROM chat_sessions ORDER BY last_activity LIMIT 1"
        );

        var added = await archiver.RunAsync("hold", "add", "--session", session!, "--reason", "case 2026-17");
        Assert.Equal(
            (
                0,
                "main: hold 1 added\nmain: it covers 1 session in the database and 0 archives\nmain: all holds cover 1 session in "
                    + "the database and 0 archives\n"
            ),
            (added.ExitCode, added.Output)
        );
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        Assert.Equal(2, await archiver.LiveSessionsAsync());

        var listed = JsonDocument.Parse((await archiver.RunAsync("hold", "list", "--json")).Output).RootElement[0];
        Assert.Equal((session, "case 2026-17"), (listed.GetProperty("session_id").GetString(), listed.GetProperty("reason").GetString()));
        Assert.Contains($"session {session}", (await archiver.RunAsync("hold", "list")).Output, StringComparison.Ordinal);

        Assert.Equal(0, (await archiver.RunAsync("hold", "remove", "1")).ExitCode);
        Assert.Equal("[]\n", (await archiver.RunAsync("hold", "list", "--json")).Output);
        Assert.Equal(1, (await archiver.RunAsync("hold", "remove", "1")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        Assert.Equal(1, await archiver.LiveSessionsAsync());
        Assert.Equal(2, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.audit WHERE action LIKE 'hold %'"));
    }

    [Theory]
    [InlineData(2, "one of the three", "--user", "a", "--session", "b")]
    [InlineData(2, "one of the three")]
    [InlineData(2, "--from must be before --to", "--from", "2026-02-01", "--to", "2026-01-01")]
    [InlineData(1, "has no session '00000000-0000-0000-0000-000000000000'", "--session", "00000000-0000-0000-0000-000000000000")]
    [InlineData(2, "'nobody' is no value of public.chat_sessions", "--session", "nobody")]
    public async Task A_hold_that_would_hold_nothing_is_refused(int exitCode, string message, params string[] arguments)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);

        var result = await archiver.RunAsync(["hold", "add", "--reason", "x", .. arguments]);

        Assert.Equal(exitCode, result.ExitCode);
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
    }

    // Whom the application's own comparison takes for one user, a hold takes for one: else what a person put on hold would be destroyed.
    [Theory]
    [InlineData("citext", "Bob", "BOB", "bob")]
    [InlineData("text COLLATE nocase", "Bob", "BOB", "bob")]
    [InlineData("character(10)", "Bob", "Bob", "Bob")]
    [InlineData("numeric", "1", "1.00", "1.0")]
    public async Task Holds_and_erases_a_user_in_every_spelling_that_the_column_takes_for_the_same(
        string type,
        string one,
        string other,
        string asked
    )
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 6, young: 0);
        archiver
            .With("Sources:main:Policies:gone:Action", "Purge")
            .With("Sources:main:Policies:gone:IdleFor", "90d")
            .With("Discard:After", "1s")
            .With("Discard:Notice", "1ms");
        await archiver.Database.ExecuteAsync(
            $"""
            CREATE EXTENSION IF NOT EXISTS citext;
            CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
            ALTER TABLE chat_sessions ALTER COLUMN user_id TYPE {type} USING NULL;
            UPDATE chat_sessions AS s SET user_id = (ARRAY['{one}', '{other}', '7'])[n.n % 3 + 1]::{type.Split(' ')[0]}
            FROM (SELECT session_id, row_number() OVER (ORDER BY last_activity) AS n FROM chat_sessions) AS n
            WHERE n.session_id = s.session_id
            """,
            Token
        );
        Task<string?> LeftAsync() =>
            archiver.Database.ScalarAsync<string>(
                "SELECT string_agg(user_id::text, ' ' ORDER BY user_id::text COLLATE \"C\") FROM chat_sessions"
            );
        Task<string?> ArchivesAsync() =>
            archiver.Database.ScalarAsync<string>(
                "SELECT string_agg(coalesce(rtrim(user_id), '-') || ' ' || state, ', ' ORDER BY user_id COLLATE \"C\", state) FROM "
                    + "archiver.archives"
            );

        Assert.Contains(
            "it covers 4 sessions in the database",
            (await archiver.RunAsync("hold", "add", "--user", asked, "--reason", "x")).Output,
            StringComparison.Ordinal
        );
        Assert.Equal(0, (await archiver.RunAsync("purge")).ExitCode);
        Assert.Equal(string.Join(' ', new[] { one, one, other, other }.Order(StringComparer.Ordinal)), await LeftAsync());

        Assert.Equal(0, (await archiver.RunAsync("hold", "remove", "1")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        // The documents have the users as COPY writes them, padded where the type pads.
        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE", Token);
        Assert.Equal(0, (await archiver.RunAsync("ledger", "rebuild")).ExitCode);
        Assert.Contains(
            "and 4 archives",
            (await archiver.RunAsync("hold", "add", "--user", asked, "--reason", "x")).Output,
            StringComparison.Ordinal
        );
        Assert.Equal(1, (await archiver.RunAsync("erase", "--user", other, "--yes")).ExitCode);
        await archiver.Database.ExecuteAsync(
            "UPDATE archiver.objects SET created_at = created_at - interval '1 day', stored_at = stored_at - interval '1 day'",
            Token
        );
        await archiver.Database.ExecuteAsync("UPDATE archiver.archives SET stored_at = stored_at - interval '1 day'", Token);
        Assert.Equal(0, (await archiver.RunAsync("discard", "--yes")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("discard", "--yes")).ExitCode);
        Assert.Equal(
            string.Join(", ", new[] { one, one, other, other }.Order(StringComparer.Ordinal).Select(u => $"{u} archived")),
            await ArchivesAsync()
        );

        Assert.Equal(0, (await archiver.RunAsync("hold", "remove", "1")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("erase", "--user", asked, "--yes")).ExitCode);
        Assert.Equal("- erased, - erased, - erased, - erased", await ArchivesAsync());
    }
}
