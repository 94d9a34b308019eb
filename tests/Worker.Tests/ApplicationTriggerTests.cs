using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>Triggers and times of applications that were seen to bring the archiver into trouble.</summary>
public sealed class ApplicationTriggerTests(TestServers servers) : ApplicationCase(servers)
{
    [Theory]
    [InlineData("AFTER")]
    [InlineData("BEFORE")]
    public async Task A_trigger_that_names_its_table_without_a_schema_runs_as_in_the_application(string time)
    {
        await using var archiver = await CreateAsync(
            $"""
            ALTER TABLE conversations ADD COLUMN message_count int NOT NULL DEFAULT 1;
            CREATE FUNCTION uncount() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE conversations
              SET message_count = message_count - 1 WHERE id = OLD.conversation_id; RETURN OLD; END $$;
            CREATE TRIGGER t {time} DELETE ON messages FOR EACH ROW EXECUTE FUNCTION uncount();
            """
        );

        await ArchivesRestoresAndErasesAsync(archiver);
        // A restored session is left in peace for a while, or there would be nothing to purge.
        await archiver.Database.ExecuteAsync("UPDATE archiver.archives SET restored_at = now() - interval '60 days'");
        archiver.With("Sources:main:Policies:old:Action", "Purge").With("Sources:main:Policies:old:IdleFor", "90d");
        Assert.Equal(
            (0, 0L),
            (
                (await archiver.RunAsync("purge")).ExitCode,
                await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM conversations WHERE seen < now() - interval '90 days'")
            )
        );
    }

    [Theory]
    [InlineData("expire")]
    [InlineData("purge")]
    [InlineData("archive")]
    public async Task A_trigger_that_names_a_table_without_a_schema_runs_when_sessions_expire_are_purged_or_marked(string verb)
    {
        await using var archiver = await CreateAsync(
            """
            ALTER TABLE conversations ADD COLUMN status text NOT NULL DEFAULT 'active', ADD COLUMN expires_at timestamptz,
              ADD COLUMN archived boolean NOT NULL DEFAULT false;
            UPDATE conversations SET expires_at = now() - interval '1 day' WHERE id <> 2;
            CREATE TABLE touched (id int);
            CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO touched VALUES (OLD.id); RETURN NULL; END $$;
            CREATE TRIGGER t AFTER UPDATE OR DELETE ON conversations FOR EACH ROW EXECUTE FUNCTION touch();
            """
        );
        foreach (var (key, column) in new[] { ("Status", "status"), ("Expires", "expires_at"), ("Archived", "archived") })
            archiver.With($"Sources:main:Tables:Session:{key}", column);
        archiver
            .With("Sources:main:Policies:idle:Delete", "Nothing")
            .With("Sources:main:Policies:old:Action", "Purge")
            .With("Sources:main:Policies:old:IdleFor", "90d")
            .With("Sources:main:Policies:over:Action", "Expire")
            .With("Sources:main:Policies:over:ExpiredFor", "0s");

        var result = await archiver.RunAsync(verb);

        Assert.True(result.ExitCode == 0, result.Error + result.Output);
        Assert.Equal("1,3", await archiver.Database.ScalarAsync<string>("SELECT string_agg(id::text, ',' ORDER BY id) FROM touched"));
    }

    [Fact]
    public async Task A_trigger_with_a_code_of_its_own_keeps_its_one_session_from_a_purge_and_no_other()
    {
        await using var archiver = await CreateAsync(
            """
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'mine' USING ERRCODE = 'AP001'; END $$;
            CREATE TRIGGER t BEFORE DELETE ON messages FOR EACH ROW WHEN (OLD.id = 11) EXECUTE FUNCTION refuse();
            """
        );
        archiver.With("Sources:main:Policies:idle:Action", "Purge");

        var result = await archiver.RunAsync("purge");

        Assert.True(result.ExitCode == 1, result.Error + result.Output);
        Assert.Equal("1,2", await archiver.Database.ScalarAsync<string>("SELECT string_agg(id::text, ',' ORDER BY id) FROM conversations"));
        Assert.Equal("11,21", await archiver.Database.ScalarAsync<string>("SELECT string_agg(id::text, ',' ORDER BY id) FROM messages"));
        Assert.Contains(
            "AP001",
            await archiver.Database.ScalarAsync<string>("SELECT string_agg(session_id || ' ' || reason, ',') FROM archiver.quarantine"),
            StringComparison.Ordinal
        );
    }

    // Mattermost's shape: 0 means that it is not deleted.
    [Fact]
    public async Task What_inspection_says_of_a_time_that_is_a_number_purges_nobodys_live_session()
    {
        await using var archiver = await CreateAsync(
            "ALTER TABLE conversations ADD COLUMN deleteat bigint NOT NULL DEFAULT 0; UPDATE "
                + "conversations SET deleteat = 1000000000000 WHERE id = 3"
        );
        archiver
            .With("Sources:main:Tables:Session:Deleted", "deleteat")
            .With("Sources:main:Policies:idle:Action", "Purge")
            .With("Sources:main:Policies:idle:IdleFor", null)
            .With("Sources:main:Policies:idle:DeletedFor", "30d");
        var plan = await archiver.RunAsync("plan");
        Assert.Equal(3, plan.ExitCode);

        Assert.Contains("""map it as { "Column": "deleteat", "As": "epoch-ms" }""", plan.Error, StringComparison.Ordinal);

        var purge = await archiver.With("Sources:main:Tables:Session:Deleted:As", "epoch-ms").RunAsync("purge");

        Assert.True(purge.ExitCode == 0, purge.Error);
        Assert.Equal(
            "1:0,2:0",
            await archiver.Database.ScalarAsync<string>("SELECT string_agg(id || ':' || deleteat, ',' ORDER BY id) FROM conversations")
        );
    }

    [Fact]
    public async Task No_word_of_a_row_that_a_trigger_puts_into_its_error_is_written_anywhere()
    {
        await using var archiver = await CreateAsync(
            """
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              IF OLD.id = 11 THEN RAISE EXCEPTION 'not allowed: %', OLD.text
                USING ERRCODE = '42501', DETAIL = OLD.text, HINT = OLD.text; END IF; RETURN OLD; END $$;
            CREATE TRIGGER t BEFORE DELETE ON messages FOR EACH ROW EXECUTE FUNCTION refuse();
            UPDATE messages SET text = 'my secret';
            """
        );

        var archive = await archiver.RunAsync("archive");
        var erase = await archiver.RunAsync("erase", "1", "--yes");

        Assert.Equal((1, 1), (archive.ExitCode, erase.ExitCode));
        Assert.Contains("42501", archive.Error, StringComparison.Ordinal);
        Assert.Equal(2, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM conversations"));
        foreach (
            var text in new[]
            {
                archive.Output,
                archive.Error,
                erase.Output,
                erase.Error,
                (await archiver.RunAsync("quarantine", "list")).Output,
                (await archiver.RunAsync("status")).Output,
            }
        )
            Assert.DoesNotContain("my secret", text, StringComparison.Ordinal);
        Assert.Equal(
            0,
            await archiver.Database.ScalarAsync<long>(
                "SELECT (SELECT count(*) FROM archiver.runs r WHERE r::text LIKE '%my secret%') + (SELECT count(*) FROM archiver.archives "
                    + "a WHERE a::text LIKE '%my secret%') + (SELECT count(*) FROM archiver.audit q WHERE q::text LIKE '%my secret%')"
            )
        );
    }
}
