using System.Text.Json;
using Archiver.Testing;
using static Archiver.Worker.Tests.ArchivedOnce;

namespace Archiver.Worker.Tests;

/// <summary><c>archiver restore</c>: what comes back, what is said about it, and with which exit code.</summary>
public sealed class RestoreVerbTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Brings_one_session_back_and_a_second_time_changes_nothing_and_says_so()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 1);
        await archiver.RunAsync("archive");
        var id = (await ArchivedAsync(archiver))[0];

        var first = await archiver.RunAsync("restore", id);
        var rows = await archiver.RowsAsync();
        var second = await archiver.RunAsync("restore", id);
        var skipping = await archiver.RunAsync("restore", id, "--on-conflict", "skip");

        Assert.Equal((0, 2L), (first.ExitCode, await archiver.LiveSessionsAsync()));
        Assert.Contains("main/restore: done, 1 session restored with 5 rows in ", first.Output, StringComparison.Ordinal);
        Assert.Equal(1, second.ExitCode);
        Assert.Contains("it is in the database already, with the same rows; nothing was changed", second.Output, StringComparison.Ordinal);
        Assert.Equal(0, skipping.ExitCode);
        Assert.Contains("1 session there already, unchanged", skipping.Output, StringComparison.Ordinal);
        Assert.Equal(rows, await archiver.RowsAsync());
        Assert.Equal(1, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state = 'restored'"));
    }

    [Fact]
    public async Task Brings_everything_of_a_user_a_run_or_dates_back_in_one_command()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 12, young: 0);
        var rows = await archiver.RowsAsync();
        await archiver.RunAsync("archive");
        var (user, run, ofUser) = (
            await archiver.Database.ScalarAsync<string>("SELECT max(user_id) FROM archiver.archives"),
            await archiver.Database.ScalarAsync<Guid>("SELECT max(id::text)::uuid FROM archiver.runs"),
            await archiver.Database.ScalarAsync<long>(
                "SELECT count(*) FROM archiver.archives WHERE user_id = (SELECT max(user_id) FROM archiver.archives)"
            )
        );

        var byUser = Report(await archiver.RunAsync("restore", "--user", user!, "--json"));
        var byDates = await archiver.RunAsync("restore", "--from", "1999-01-01", "--to", "2000-01-01", "--json");
        var dry = Report(await archiver.RunAsync("restore", "--run", $"{run}", "--dry-run", "--json"));
        var byRun = Report(await archiver.RunAsync("restore", "--run", $"{run}", "--json"));

        Assert.Equal((ofUser, 0L), (Number(byUser, "restored"), Number(byUser, "already_there")));
        Assert.Equal(
            (1, true),
            (byDates.ExitCode, byDates.Output.Contains("No archive of source 'main' matches", StringComparison.Ordinal))
        );
        Assert.Equal((true, 12 - ofUser), (dry.GetProperty("dry_run").GetBoolean(), Number(dry, "restored")));
        Assert.Equal((12 - ofUser, ofUser), (Number(byRun, "restored"), Number(byRun, "already_there")));
        Assert.Equal(rows, await archiver.RowsAsync());
    }

    [Fact]
    public async Task Takes_external_ids_from_stdin_and_restores_to_another_database()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 0, young: 0);
        archiver.With("Sources:main:Preset", "status-expiry");
        await ApplicationSchema.InstallAsync(archiver.Database, "status-expiry", Token);
        await ApplicationSchema.GenerateAsync(archiver.Database, "status-expiry", 4, 0, 3, cancellationToken: Token);
        const string both =
            "SELECT * FROM sessions s JOIN messages m ON m.session_id = s.id WHERE s.session_id <> 'conv_1000000001' ORDER BY m.id";
        var rows = await archiver.Database.CopyOutAsync(both, Token);
        var ids = (
            await archiver.Database.CopyOutAsync("SELECT session_id FROM sessions WHERE session_id <> 'conv_1000000001' ORDER BY 1", Token)
        )
            .TrimEnd()
            .Split('\n');
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        await using var copy = await TestDatabase.CreateAsync(servers, Token);
        await ApplicationSchema.InstallAsync(copy, "status-expiry", Token);

        var there = await archiver.RunWithInputAsync($"{string.Join('\n', ids)}\n\n", "restore", "-", "--to", copy.ConnectionString);
        var here = await archiver.RunAsync("restore", ids[0], "--reactivate", "--expires", "2099-01-01", "no-such-session");
        var nothing = await archiver.RunWithInputAsync("\n", "restore", "-");

        Assert.True(there.ExitCode == 0, there.Error + there.Output);
        Assert.Equal(rows, await copy.CopyOutAsync(both, Token));
        Assert.Equal(1, here.ExitCode);
        Assert.Contains("done in part, 1 session restored", here.Output, StringComparison.Ordinal);
        Assert.Matches("no-such-session +- +the ledger has no archive of it", here.Output);
        Assert.Equal(
            $"{ids[0]}\tactive\t2099-01-01 00:00:00+00\tt\n",
            await archiver.Database.CopyOutAsync(
                "SELECT session_id, status, expires_at, updated_at > now() - interval '1 hour' FROM sessions",
                Token
            )
        );
        Assert.Equal((2, "archiver: - reads ids from stdin, and none came.\n"), (nothing.ExitCode, nothing.Error));
    }

    // Trimmed, " a" would be another session's id. Of a line only its end goes, as Windows writes it too.
    [Fact]
    public async Task Takes_ids_from_stdin_with_their_blanks()
    {
        await using var archiver = (await Installation.CreateAsync(servers, Token, idle: 0, young: 0))
            .With("Sources:main:Preset", null)
            .With("Sources:main:Tables:Session:Table", "chats")
            .With("Sources:main:Tables:Session:Key", "id")
            .With("Sources:main:Tables:Session:Activity:0", "updated_at");
        await archiver.Database.ExecuteAsync(
            """
            CREATE TABLE chats (id text PRIMARY KEY, updated_at timestamptz NOT NULL);
            CREATE INDEX ON chats (updated_at, id);
            INSERT INTO chats SELECT id, now() - interval '100 days' FROM unnest(ARRAY[' a', 'a', 'b ', 'b', ' ']) AS n (id);
            """,
            Token
        );
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);

        var restored = await archiver.RunWithInputAsync(" a\r\n\r\nb \n\n \n", "restore", "-");

        Assert.True(restored.ExitCode == 0, restored.Output + restored.Error);
        Assert.Equal(
            "( )( a)(b )",
            await archiver.Database.ScalarAsync<string>("SELECT string_agg('(' || id || ')', '' ORDER BY id COLLATE \"C\") FROM chats")
        );
    }

    [Fact]
    public async Task Without_any_ledger_it_restores_from_the_id_or_the_objects_key_alone()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 0);
        var rows = await archiver.RowsAsync();
        await archiver.RunAsync("archive");
        var ids = await ArchivedAsync(archiver);
        var key = await archiver.Database.ScalarAsync<string>($"SELECT key FROM archiver.objects WHERE members = ARRAY['{ids[1]}']");
        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE", Token);

        var byId = await archiver.RunAsync("restore", ids[0]);
        var byKey = await archiver.RunAsync("restore", "--object", key!);

        Assert.True((byId.ExitCode, byKey.ExitCode) == (0, 0), byId.Error + byKey.Error);
        Assert.Equal(rows, await archiver.RowsAsync());
    }

    [Fact]
    public async Task Draws_a_progress_bar_on_a_terminal()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 20, young: 0);
        await archiver.RunAsync("archive");

        await using var process = archiver.StartOnTerminal("restore --from 2000-01-01");
        var result = await process.WaitForExitAsync(Token);

        Assert.Equal(0, result.ExitCode);
        Assert.Contains("main/restore", result.Output, StringComparison.Ordinal);
        Assert.Contains("100%", result.Output, StringComparison.Ordinal);
        Assert.Contains("main/restore: done, 20 sessions restored", result.Output, StringComparison.Ordinal);
    }

    private static JsonElement Report(ProcessResult result)
    {
        Assert.True(result.ExitCode == 0, result.Error);
        return JsonDocument.Parse(result.Output).RootElement;
    }

    private static long Number(JsonElement report, string name) => report.GetProperty(name).GetInt64();
}
