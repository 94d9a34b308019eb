using Archiver.Testing;
using static Archiver.Worker.Tests.ArchivedOnce;

namespace Archiver.Worker.Tests;

/// <summary>Restores that cannot be done, or are killed in the middle.</summary>
public sealed class RestoreFaultVerbTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_wrong_with_the_database_of_to_is_told_of_that_database()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        await archiver.RunAsync("archive");
        var id = await archiver.Database.ScalarAsync<string>("SELECT session_id FROM archiver.archives");
        var there = new Npgsql.NpgsqlConnectionStringBuilder(archiver.Database.ConnectionString) { Database = "no_such_copy" };

        var absent = await archiver.RunAsync("restore", id!, "--to", there.ConnectionString);
        var unreachable = await archiver.RunAsync(
            "restore",
            id!,
            "--to",
            "Host=127.0.0.1;Port=1;Database=copy;Username=me;Password=hunter2"
        );

        Assert.Equal((1, 1), (absent.ExitCode, unreachable.ExitCode));
        Assert.Contains("has no database 'no_such_copy': check --to", absent.Error, StringComparison.Ordinal);
        Assert.Contains("127.0.0.1:1/copy", unreachable.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("ConnectionString", absent.Error + unreachable.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", unreachable.Output + unreachable.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Says_in_one_sentence_what_makes_no_sense_and_exits_2()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        await archiver.RunAsync("archive");
        var id = (await ArchivedAsync(archiver))[0];
        await archiver.Database.ExecuteAsync("ALTER TABLE chat_messages RENAME content TO body", Token);

        foreach (
            var (said, arguments) in new (string, string[])[]
            {
                ("Say what to restore", ["restore"]),
                ("Say what to restore", ["restore", id, "--user", "u"]),
                ("--expires goes with --reactivate", ["restore", id, "--expires", "2099-01-01"]),
                ("--to must be a date such as 2026-01-31", ["restore", "--to", "tomorrow"]),
                ("--to is not a connection string", ["restore", id, "--to", "Hots=x;Password=secret"]),
                ("--to may be given once", ["restore", "--to", "2026-01-01", "--to", "2026-01-02"]),
                ("--on-conflict must be fail, skip or replace, but is 'maybe'", ["restore", id, "--on-conflict", "maybe"]),
                ("--generation chooses one archive", ["restore", "--generation", "1", "--user", "u"]),
                ("--map content=boddy: public.chat_messages has no column 'boddy'", ["restore", id, "--map", "content=boddy"]),
                ("--sample and --all exclude each other", ["verify", "--all", "--sample", "1"]),
                ("then say --yes", ["reconcile", "--fix"]),
            }
        )
        {
            var result = await archiver.RunAsync(arguments);
            Assert.True(result.ExitCode == 2, $"{string.Join(' ', arguments)} exits with {result.ExitCode}: {result.Error}");
            Assert.Contains(said, result.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("secret", result.Error, StringComparison.Ordinal);
        }
        Assert.Equal(0, (await archiver.RunAsync("restore", id, "--map", "content=body")).ExitCode);
    }

    [Fact]
    public async Task Killed_at_any_moment_it_leaves_all_or_nothing_of_each_session()
    {
        const string torn = """
            SELECT count(*)
            FROM archiver.archives AS a
            WHERE (SELECT count(*) FROM chat_sessions AS s WHERE s.session_id = a.session_id::uuid) + (SELECT count(*)
              FROM chat_messages AS m WHERE m.session_id = a.session_id::uuid)
                  <> CASE a.state WHEN 'restored' THEN a.row_count ELSE 0 END
            """;
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2200, young: 0, messages: 10);
        archiver.With("Storage:Layout", "Bundle");
        var rows = await archiver.RowsAsync();
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);

        var killed = 0;
        // Each wait is for another moment of its work: connected, writing, after some commits.
        foreach (
            var moment in new[]
            {
                "EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'archiver' AND datname = current_database())",
                "EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'archiver' AND datname = current_database() AND backend_xid "
                    + "IS NOT NULL)",
                "(SELECT count(*) FROM chat_sessions) > 0",
                "(SELECT count(*) FROM chat_sessions) > 1000",
            }
        )
        {
            await using var process = archiver.Start("restore", "--from", "2000-01-01");
            await Eventually.TrueAsync(
                async () => process.HasExited || await archiver.Database.ScalarAsync<bool>($"SELECT {moment}", Token),
                Token,
                what: moment
            );
            process.SendSignal(ProcessSignal.Kill);
            killed += (await process.WaitForExitAsync(Token)).ExitCode == 137 ? 1 : 0;
            // What the server still has in hand of the dead process it rolls back.
            await Eventually.TrueAsync(
                async () =>
                    await archiver.Database.ScalarAsync<long>(
                        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'archiver' AND datname = current_database()",
                        Token
                    ) == 0,
                Token
            );
            Assert.Equal(0, await archiver.Database.ScalarAsync<long>(torn, Token));
        }
        var result = await archiver.RunAsync("restore", "--from", "2000-01-01");

        // The last may have ended by itself.
        Assert.InRange(killed, 3, 4);
        Assert.True(result.ExitCode == 0, result.Error + result.Output);
        Assert.Equal(rows, await archiver.RowsAsync());
    }
}
