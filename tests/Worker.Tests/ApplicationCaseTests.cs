using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Worker.Tests;

/// <summary>Schemas of applications that were seen to bring the archiver into trouble.</summary>
public sealed class ApplicationCaseTests(TestServers servers) : ApplicationCase(servers)
{
    [Fact]
    public async Task A_table_that_points_to_its_sibling_is_archived_restored_and_erased()
    {
        await using var archiver = await CreateAsync(
            """
            CREATE TABLE attachments (id int PRIMARY KEY, conversation_id int NOT NULL REFERENCES conversations,
              message_id int REFERENCES messages);
            CREATE INDEX ON attachments (conversation_id); CREATE INDEX ON attachments (message_id);
            INSERT INTO attachments VALUES (111, 1, 11), (311, 3, 31);
            """
        );
        foreach (
            var (key, value) in new[]
            {
                ("Table", "attachments"),
                ("ForeignKey", "conversation_id"),
                ("ParentKey", "id"),
                ("Key", "id"),
                ("Order:0", "id"),
            }
        )
            archiver.With($"Sources:main:Tables:Children:attachments:{key}", value);

        await ArchivesRestoresAndErasesAsync(archiver);
    }

    [Theory]
    [InlineData("")]
    [InlineData("ON DELETE RESTRICT")]
    [InlineData("DEFERRABLE INITIALLY DEFERRED")]
    [InlineData("ON DELETE SET NULL")]
    [InlineData("ON DELETE CASCADE")]
    public async Task A_conversation_that_points_to_its_own_message_is_archived_restored_and_erased(string rule)
    {
        await using var archiver = await CreateAsync(
            $"""
            ALTER TABLE conversations ADD COLUMN current_id int REFERENCES messages {rule};
            CREATE INDEX ON conversations (current_id);
            UPDATE conversations SET current_id = id * 10 + 1;
            """
        );

        await ArchivesRestoresAndErasesAsync(archiver);
    }

    [Fact]
    public async Task A_key_that_would_change_other_rows_is_refused_before_the_ledger_is_there_too()
    {
        await using var archiver = await CreateAsync(
            "CREATE TABLE pins (id int PRIMARY KEY, message_id int REFERENCES messages ON DELETE SET NULL); "
                + "CREATE INDEX ON pins (message_id)",
            ledger: false
        );

        var plan = await archiver.RunAsync("plan");

        Assert.Equal(3, plan.ExitCode);
        Assert.Contains("of table public.pins onto public.messages is ON DELETE SET NULL", plan.Error, StringComparison.Ordinal);
        Assert.Contains("archiver migrate", plan.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_kept_column_of_json_that_jsonb_refuses_is_archived_and_restored_as_it_was()
    {
        await using var archiver = await CreateAsync(
            """ALTER TABLE conversations ADD COLUMN title json; UPDATE conversations SET title = '{"t":"a\u0000b","n":1e999999}'"""
        );
        archiver.With("Sources:main:Keep:0", "title");

        await ArchivesRestoresAndErasesAsync(archiver);
        Assert.Equal(
            "a\ufffdb",
            await archiver.Database.ScalarAsync<string>("SELECT keep #>> '{title,t}' FROM archiver.archives WHERE session_id = '3'")
        );
    }

    [Fact]
    public async Task A_session_that_has_no_room_in_the_spool_folder_stops_no_other()
    {
        await using var disk = await SmallDisk.MountAsync(2, Token);
        await using var archiver = await CreateAsync(
            "UPDATE messages SET text = (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 700000) i) WHERE id = 11"
        );
        disk.Fill();
        await using var process = archiver.Start(new Dictionary<string, string?> { ["TMPDIR"] = disk.Folder }, "archive");

        var result = await process.WaitForExitAsync(Token);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains($"The folder for temporary files, {disk.Folder}", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("report this", result.Error, StringComparison.Ordinal);
        Assert.Equal("1,2", await archiver.Database.ScalarAsync<string>("SELECT string_agg(id::text, ',' ORDER BY id) FROM conversations"));
    }
}
