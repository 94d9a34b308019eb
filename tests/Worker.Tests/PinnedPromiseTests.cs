using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Worker.Tests;

/// <summary>What would weaken a promise is pinned too: encodings, foreign keys, row security and commits that wait for nothing.</summary>
public sealed class PinnedPromiseTests(TestServers servers) : OddSettings(servers)
{
    /// <summary>
    /// Deleting is not allowed to trust what it verified: a condition of the policy itself sets another encoding for the export.
    /// </summary>
    [Fact]
    public async Task What_is_not_UTF_8_is_not_verified_and_nothing_is_deleted()
    {
        await using var archiver = await CreateAsync();
        archiver.With("Sources:main:Policies:idle:Where", "set_config('client_encoding', 'LATIN1', true) IS NOT NULL");
        var before = await archiver.RowsAsync();

        var result = await RunAsync(archiver, new Dictionary<string, string?>(), "archive");

        Assert.Equal(1, result.ExitCode);
        Assert.Equal(before, await archiver.RowsAsync());
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state = 'archived'"));
        Assert.Equal("object differs", await archiver.Database.ScalarAsync<string>("SELECT reason FROM archiver.quarantine"));
    }

    /// <summary>
    /// A pool that resets nothing, as behind a pooler, keeps what a trigger of the application sets for good; the next batch must not.
    /// </summary>
    [Fact]
    public async Task What_a_trigger_does_to_the_encoding_is_gone_with_its_transaction()
    {
        await using var archiver = await CreateAsync(idle: 6);
        await archiver.Database.ExecuteAsync(
            """
            CREATE FUNCTION latin() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('client_encoding', 'LATIN1',
              false); RETURN NULL; END $$;
            CREATE TRIGGER latin AFTER DELETE ON chat_sessions FOR EACH ROW EXECUTE FUNCTION latin();
            """
        );
        archiver
            .With("Sources:main:ConnectionString", $"{archiver.Database.ConnectionString};No Reset On Close=true")
            .With("Batch:Sessions", "1");
        var before = await archiver.RowsAsync();

        var archived = await archiver.RunAsync("archive");
        var restored = await archiver.RunAsync("restore", "--from", "2000-01-01");

        Assert.True((archived.ExitCode, restored.ExitCode) == (0, 0), archived.Error + archived.Output + restored.Error + restored.Output);
        Assert.Equal(before, await archiver.RowsAsync());
    }

    /// <summary>Foreign keys hold in a restore, be it that the server's own default switches them off.</summary>
    [Fact]
    public async Task A_restore_checks_foreign_keys_whatever_the_replication_role()
    {
        await using var archiver = await CreateAsync();
        await archiver.Database.ExecuteAsync(
            "CREATE TABLE people AS SELECT DISTINCT user_id AS id FROM chat_sessions; ALTER TABLE people "
                + "ADD PRIMARY KEY (id); ALTER TABLE chat_sessions ADD FOREIGN KEY (user_id) REFERENCES people (id)"
        );
        var id = await archiver.Database.ScalarAsync<string>("SELECT session_id::text FROM chat_sessions");
        var archived = await archiver.RunAsync("archive");
        Assert.True(archived.ExitCode == 0, archived.Error);
        await archiver.Database.ExecuteAsync("DELETE FROM people");
        await SetAsync(archiver, "session_replication_role = 'replica'");

        var restored = await archiver.RunAsync("restore", id!);

        Assert.Equal((1, 0L), (restored.ExitCode, await archiver.LiveSessionsAsync()));
    }

    /// <summary>
    /// A policy that comes between inspection and export: a hidden message would stay, without its session and without a copy.
    /// </summary>
    [Fact]
    public async Task Rows_that_row_security_hides_are_an_error_and_not_absent()
    {
        await using var archiver = await Installation.CreateAsync(Servers, Token, idle: 3, young: 0, messages: 4, ledger: false);
        await archiver.Database.ExecuteAsync(
            """
            DO $$ BEGIN EXECUTE (SELECT format('ALTER TABLE chat_messages DROP CONSTRAINT %I', conname) FROM pg_constraint
              WHERE conrelid = 'chat_messages'::regclass AND contype = 'f'); END $$
            """
        );
        await using var role = await TestRole.CreateAsync(
            archiver.Database,
            """
            GRANT SELECT, DELETE, UPDATE ON chat_sessions, chat_messages TO {0}; CREATE SCHEMA archiver AUTHORIZATION {0}
            """
        );
        archiver.With("Sources:main:ConnectionString", role.ConnectionString);
        var before = await archiver.RowsAsync();
        var reached = InProcessFault.Once("archive.selected", async () =>
            await archiver.Database.ExecuteAsync(
                "ALTER TABLE chat_messages ENABLE ROW LEVEL SECURITY; CREATE POLICY every_other ON chat_messages USING (id % 2 = 0)"
            )
        );

        var result = await archiver.RunAsync("archive");

        Assert.True(reached());
        Assert.Equal(1, result.ExitCode);
        Assert.Equal(1, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM pg_policy"));
        Assert.Equal(before, await archiver.RowsAsync());
        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE");
    }

    /// <summary>
    /// Where the server's commits do not wait for its disk, those that promise something do: the WAL writer, who would flush the others,
    /// stands still.
    /// </summary>
    [Fact]
    public async Task What_a_verb_has_promised_survives_a_crash_of_a_server_whose_commits_do_not_wait()
    {
        await using var server = await PostgresServer.StartAsync(Token, "synchronous_commit = off");
        await using var archiver = await Installation.CreateAsync(Servers, Token, idle: 2, young: 0, postgres: server.ConnectionString);
        Assert.Equal(0, (await archiver.RunAsync("archive", "--max-sessions", "1")).ExitCode);
        var id = (await archiver.Database.ScalarAsync<string>("SELECT session_id FROM archiver.archives"))!;

        await CrashAfterAsync("pause", "main/idle");
        Assert.Equal(1, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.pauses"));
        await CrashAfterAsync("hold", "add", "--session", id, "--reason", "case 7");
        Assert.Equal(1, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.holds"));
        await CrashAfterAsync("restore", id);
        Assert.Equal(2, await archiver.LiveSessionsAsync());

        async Task CrashAfterAsync(params string[] verb)
        {
            var writer = await archiver.Database.ScalarAsync<int>("SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'");
            await using (
                var stop = ChildProcess.Start("kill", ["-STOP", writer.ToString(System.Globalization.CultureInfo.InvariantCulture)])
            )
                await stop.WaitForExitAsync(Token);
            var result = await archiver.RunAsync(verb);
            Assert.True(result.ExitCode == 0, result.Error);
            await server.KillAsync(Token);
            await server.StartAgainAsync(Token);
            archiver.Database.DataSource.Clear();
        }
    }
}
