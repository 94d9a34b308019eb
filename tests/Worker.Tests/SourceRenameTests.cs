using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>A source or policy that got another name keeps what protects its sessions.</summary>
public sealed class SourceRenameTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_erased_under_the_old_name_stays_erased_and_a_lost_ledger_is_rebuilt_from_both()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 0);
        var erased = await archiver.Database.ScalarAsync<string>("SELECT min(session_id::text) FROM chat_sessions");
        var copy = $"CREATE TABLE kept AS SELECT * FROM chat_sessions WHERE session_id = '{erased}'";
        await archiver.Database.ExecuteAsync(copy);
        await archiver.RunAsync("archive");
        await archiver.RunAsync("erase", erased!, "--yes");
        archiver.RenameSource("main", "chat");
        await archiver.RunAsync("source", "rename", "main", "chat");

        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE; INSERT INTO chat_sessions SELECT * FROM kept");
        var rebuilt = await archiver.RunAsync("ledger", "rebuild");
        var archived = await archiver.RunAsync("archive");

        Assert.Contains("2 archives added to the ledger", rebuilt.Output, StringComparison.Ordinal);
        Assert.Equal(3, archived.ExitCode);
        Assert.Contains("1 session of source 'chat' was erased and is here again", archived.Error, StringComparison.Ordinal);
        Assert.Contains("erase --reapply", archived.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_stands_for_its_tables_until_it_is_told_otherwise()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 0);
        await archiver.RunAsync("pause");
        await archiver.Database.ExecuteAsync(
            "CREATE SCHEMA app; CREATE TABLE app.chats (LIKE chat_sessions INCLUDING ALL); CREATE TABLE "
                + "app.lines (LIKE chat_messages INCLUDING ALL)"
        );
        archiver.With("Sources:main:Tables:Session:Table", "app.chats").With("Sources:main:Tables:Children:messages:Table", "app.lines");

        var refused = await archiver.RunAsync("hold", "list");
        Assert.Equal(3, refused.ExitCode);
        Assert.Contains(
            "stands for table public.chat_sessions in this ledger, and the configuration maps app.chats",
            refused.Error,
            StringComparison.Ordinal
        );
        Assert.Equal(0, (await archiver.RunAsync("source", "rename", "main", "main")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("hold", "list")).ExitCode);

        // A table that only got another name is the same table.
        await archiver.Database.ExecuteAsync("ALTER TABLE app.chats RENAME TO talks");
        Assert.Equal(0, (await archiver.With("Sources:main:Tables:Session:Table", "app.talks").RunAsync("resume")).ExitCode);
        Assert.Equal(
            "app.talks",
            await archiver.Database.ScalarAsync<string>(
                "SELECT schema_name || '.' || table_name FROM archiver.source_tables WHERE is_session"
            )
        );
    }

    [Fact]
    public async Task A_ledger_with_two_spellings_becomes_one_and_keeps_every_hold_and_pause()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 0);
        await archiver.RunAsync("archive", "--max-sessions", "2");
        await archiver.Database.ExecuteAsync(
            """
            DROP TABLE archiver.source_tables, archiver.sources; DROP FUNCTION archiver.rename_source; DELETE FROM archiver.migrations
              WHERE name LIKE '%sources.sql' OR name LIKE '%source_columns.sql' OR name LIKE '%key_type.sql';
            INSERT INTO archiver.archives (source, session_id, generation, state, message_count, row_count, object_id, byte_offset,
              byte_length, json_length, json_sha256, fingerprints, run_id, policy, exported_at)
            SELECT 'MAIN', session_id, 1, 'superseded', 0, 1, object_id, 0, 1, 1, '', '{}', run_id, 'Idle', exported_at - interval '1 hour'
              FROM archiver.archives ORDER BY id LIMIT 1;
            INSERT INTO archiver.pauses (source, policy, paused_by) VALUES ('MAIN', 'IDLE', 'me'), ('main', 'Idle', 'me');
            INSERT INTO archiver.holds (source, session_id, reason, created_by)
              VALUES ('MAIN', (SELECT min(session_id::text) FROM chat_sessions), 'case', 'me');
            INSERT INTO archiver.acceptances (source, policy, policy_hash, ages, accepted_by)
              VALUES ('MAIN', 'Idle', '', '{}', 'me'), ('main', 'idle', '', '{}', 'me');
            INSERT INTO archiver.quarantine (source, session_id, reason, attempts, run_id)
              VALUES ('MAIN', 'x', 'r', 1, gen_random_uuid()), ('main', 'x', 'r', 2, gen_random_uuid());
            """
        );

        var migrated = await archiver.RunAsync("migrate");
        var paused = await archiver.RunAsync("archive");

        Assert.True(migrated.ExitCode == 0, migrated.Error);
        Assert.Contains("not run: paused", paused.Output, StringComparison.Ordinal);
        Assert.Equal(1, await archiver.LiveSessionsAsync());
        Assert.Equal(
            "main/idle",
            await archiver.Database.ScalarAsync<string>("SELECT string_agg(source || '/' || policy, ',') FROM archiver.pauses")
        );
        await archiver.RunAsync("resume");
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        Assert.Equal(1, await archiver.LiveSessionsAsync());
        Assert.Equal(
            "1:superseded,2:archived",
            await archiver.Database.ScalarAsync<string>(
                "SELECT string_agg(generation || ':' || state, ',' ORDER BY generation) FROM archiver.archives WHERE source = 'main' AND "
                    + "session_id = (SELECT session_id FROM archiver.archives WHERE generation = 2)"
            )
        );
        Assert.Equal(2, await archiver.Database.ScalarAsync<int>("SELECT attempts FROM archiver.quarantine"));
    }

    [Fact]
    public async Task A_source_that_may_be_an_old_one_under_another_name_waits_for_a_person()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 0);
        var held = await archiver.Database.ScalarAsync<string>("SELECT min(session_id::text) FROM chat_sessions");
        await archiver.RunAsync("hold", "add", "--session", held!, "--reason", "case 1");
        await archiver.Database.ExecuteAsync("DELETE FROM archiver.source_tables");
        archiver.RenameSource("main", "chat");

        var refused = await archiver.RunAsync("archive");

        Assert.Equal(3, refused.ExitCode);
        Assert.Contains(
            "archiver source rename OLD chat. If it is a new one: archiver source add chat",
            refused.Error,
            StringComparison.Ordinal
        );
        Assert.Equal(0, (await archiver.RunAsync("source", "rename", "main", "chat")).ExitCode);
        await archiver.RunAsync("archive");
        Assert.Equal(held, await archiver.Database.ScalarAsync<string>("SELECT string_agg(session_id::text, ',') FROM chat_sessions"));
        await archiver.Database.ExecuteAsync("DELETE FROM archiver.source_tables; UPDATE archiver.sources SET name = 'gone'");
        Assert.Equal(0, (await archiver.RunAsync("source", "add", "chat")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
    }

    [Fact]
    public async Task A_pause_of_a_policy_that_has_another_name_now_holds_the_source()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 0);
        await archiver.RunAsync("pause", "main/idle");
        archiver
            .With("Sources:main:Policies:idle:Action", null)
            .With("Sources:main:Policies:idle:IdleFor", null)
            .With("Sources:main:Policies:nightly:Action", "Archive")
            .With("Sources:main:Policies:nightly:IdleFor", "90d");

        var paused = await archiver.RunAsync("archive");

        Assert.Contains("archiver resume main/idle", paused.Output, StringComparison.Ordinal);
        Assert.Equal(2, await archiver.LiveSessionsAsync());
        await archiver.RunAsync("resume", "main/idle");
        await archiver.RunAsync("archive");
        Assert.Equal(0, await archiver.LiveSessionsAsync());
    }

    [Fact]
    public async Task A_session_that_was_stored_under_another_name_of_the_policy_is_stored_again_when_it_changed()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 0);
        await archiver.With("Sources:main:Policies:idle:Delete", "Nothing").RunAsync("archive");
        await archiver.Database.ExecuteAsync("UPDATE chat_messages SET content = 'edited' WHERE id = (SELECT min(id) FROM chat_messages)");
        foreach (var key in new[] { "Action", "IdleFor", "Delete" })
            archiver
                .With($"Sources:main:Policies:nightly:{key}", archiver.Value($"Sources:main:Policies:idle:{key}"))
                .With($"Sources:main:Policies:idle:{key}", null);

        var again = await archiver.RunAsync("archive");

        Assert.True(again.ExitCode == 0, again.Error);
        Assert.Equal(
            "idle:stored,idle:superseded,nightly:stored",
            await archiver.Database.ScalarAsync<string>(
                "SELECT string_agg(policy || ':' || state, ',' ORDER BY policy, state) FROM archiver.archives"
            )
        );
    }
}
