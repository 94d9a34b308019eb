using System.Text.Json;
using Archiver.Core.Upload;
using Archiver.Testing;
using static Archiver.Integration.Tests.Lifecycle.PolicyRuns;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>The ledger's rows of what was erased say that something was erased, and not what or whose.</summary>
public sealed class ErasedLedgerTests(TestServers servers) : DelayedScenario(servers)
{
    private const string Place = "of bytes that are gone",
        Count = "a count that names nobody",
        Work = "when the archiver worked, not when the person did",
        Setting = "of the configuration",
        Number = "a number of the ledger's own";

    // What an erasure leaves, and why it may.
    private static readonly Dictionary<string, string> Kept = new(StringComparer.Ordinal)
    {
        ["archives.id"] = Number,
        ["archives.source"] = Setting,
        ["archives.generation"] = Number,
        ["archives.message_count"] = Count,
        ["archives.row_count"] = Count,
        ["archives.object_id"] = Number,
        ["archives.byte_offset"] = Place,
        ["archives.byte_length"] = Place,
        ["archives.json_length"] = Place,
        ["archives.run_id"] = Number,
        ["archives.policy"] = Setting,
        ["archives.exported_at"] = Work,
        ["archives.stored_at"] = Work,
        ["archives.archived_at"] = Work,
        ["archives.restored_at"] = Work,
        ["archives.user_column"] = Setting,
        ["archives.part"] = "says that it was a part, not of what",
        ["objects.id"] = Number,
        ["objects.location"] = Setting,
        ["objects.source"] = Setting,
        ["objects.run_id"] = Number,
        ["objects.layout"] = Setting,
        ["objects.length"] = Place,
        ["objects.created_at"] = Work,
        ["objects.stored_at"] = Work,
        ["objects.discard_announced_at"] = Work,
    };

    // Every column gets a value, so that one which an erasure forgets is seen.
    private const string Fill = """
        DO $$
        DECLARE c record;
        BEGIN
          FOR c IN SELECT k.table_name, k.column_name, k.data_type FROM information_schema.columns AS k
                   WHERE k.table_schema = 'archiver' AND k.table_name IN ('archives', 'objects') AND k.is_nullable = 'YES'
          LOOP
            EXECUTE format('UPDATE archiver.%1$I SET %2$I = %3$s WHERE %2$I IS NULL', c.table_name, c.column_name,
              CASE c.data_type WHEN 'text' THEN '''named''' WHEN 'jsonb' THEN '''{"named": true}''' WHEN 'ARRAY' THEN '''{named}'''
                WHEN 'timestamp with time zone' THEN 'now()' END);
          END LOOP;
        END
        $$
        """;

    [Fact]
    public async Task Every_column_of_archives_and_objects_is_cleared_or_left_for_a_reason()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(Servers, Token, idle: 1, young: 0, versioned: true);
        Assert.Equal(1, (await archiver.RunAsync(Token)).Sessions);
        await archiver.Database.ExecuteAsync(Fill, Token);
        var session = (await archiver.Database.ScalarAsync<string>("SELECT session_id FROM archiver.archives", Token))!;
        var before = await ColumnsAsync(archiver);
        Assert.DoesNotContain("null", before.Values);

        var receipt = await archiver.EraseAsync(new() { Ids = [session] }, Token);

        Assert.Equal((null, true), (receipt.Error, receipt.Complete));
        var after = await ColumnsAsync(archiver);
        Assert.Empty(before.Keys.Where(c => before[c] == after[c]).Except(Kept.Keys));
        Assert.Empty(Kept.Keys.Except(before.Keys));
        Assert.DoesNotContain(after.Values, v => v.Contains(session, StringComparison.Ordinal));
    }

    // Its mark had the key of its object, which has its id, and a hash of its row.
    [Fact]
    public async Task A_session_that_was_stored_and_deleted_later_leaves_no_mark()
    {
        await using var archiver = await StoredAsync(idle: 2);
        await MakeDueAsync(archiver, "8 days", 2);
        Assert.Equal(2, (await archiver.RunAsync(Delayed, Token)).Delayed);
        Assert.Equal("2 archived", await StatesAsync(archiver));
        var session = (await archiver.Database.ScalarAsync<string>("SELECT min(session_id) FROM archiver.archives", Token))!;

        Assert.True((await archiver.EraseAsync(new() { Ids = [session] }, Token)).Complete);

        Assert.DoesNotContain(
            session,
            await archiver.Database.CopyOutAsync("SELECT * FROM archiver.archives", Token),
            StringComparison.Ordinal
        );
        Assert.Equal("archived true, erased false", await MarksAsync(archiver));
    }

    // An id in a key is percent-encoded.
    [Theory]
    [InlineData("a@b.c")]
    [InlineData("[\"x\",\"1\"]")]
    public async Task No_text_of_the_ledger_has_an_erased_id_in_any_spelling_that_keys_give_it(string session)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(Servers, Token, idle: 1, young: 0, preset: "soft-delete");
        await archiver.Database.ExecuteAsync(
            $"""
            ALTER TABLE chat_messages DROP CONSTRAINT chat_messages_session_id_fkey, ALTER COLUMN session_id TYPE text;
            ALTER TABLE chat_sessions ALTER COLUMN id DROP DEFAULT, ALTER COLUMN id TYPE text;
            UPDATE chat_sessions SET id = '{session}', deleted_at = NULL;
            UPDATE chat_messages SET session_id = '{session}';
            ALTER TABLE chat_messages ADD CONSTRAINT chat_messages_session_id_fkey FOREIGN KEY (session_id) REFERENCES chat_sessions (id);
            """,
            Token
        );
        Assert.Equal(1, (await archiver.RunAsync(Token)).Sessions);
        await archiver.Database.ExecuteAsync(
            """
            UPDATE archiver.runs SET error = 'The store refused s3://bucket/' || o.key || ' twice: ' || o.key FROM archiver.objects AS o;
            INSERT INTO archiver.proofs (source, proof, state, error, worker)
              SELECT 'main', 'verify', 'failed', 'Object ''' || o.key || ''' of session ' || o.members[1] || ' is away.', 'worker'
              FROM archiver.objects AS o;
            """,
            Token
        );
        Assert.Contains(ObjectKey.Encode(session), await LedgerAsync(archiver), StringComparison.Ordinal);

        Assert.True((await archiver.EraseAsync(new() { Ids = [session] }, Token)).Complete);

        var ledger = await LedgerAsync(archiver);
        Assert.Contains("(erased)", ledger, StringComparison.Ordinal);
        Assert.DoesNotContain(session, ledger, StringComparison.Ordinal);
        Assert.DoesNotContain(ObjectKey.Encode(session), ledger, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_upgrade_of_the_ledger_clears_marks_of_what_was_erased_before()
    {
        await using var archiver = await StoredAsync(idle: 2);
        await archiver.Database.ExecuteAsync(
            "UPDATE archiver.archives SET state = 'erased' WHERE id = (SELECT min(id) FROM archiver.archives); DELETE FROM "
                + "archiver.migrations WHERE version = 17",
            Token
        );

        await archiver.MigrateAsync(Token);

        Assert.Equal("erased false, stored true", await MarksAsync(archiver));
    }

    private static async Task<string> LedgerAsync(ArchiverFixture archiver) =>
        (await archiver.Database.ScalarAsync<string>("SELECT schema_to_xml('archiver', true, false, '')::text", Token))!;

    private static Task<string?> MarksAsync(ArchiverFixture archiver) =>
        archiver.Database.ScalarAsync<string>(
            "SELECT string_agg(state || ' ' || (mark IS NOT NULL), ', ' ORDER BY state) FROM archiver.archives",
            Token
        );

    private static async Task<Dictionary<string, string>> ColumnsAsync(ArchiverFixture archiver)
    {
        Dictionary<string, string> columns = new(StringComparer.Ordinal);
        foreach (var table in new[] { "archives", "objects" })
        {
            var row = await archiver.Database.ScalarAsync<string>($"SELECT to_jsonb(t)::text FROM archiver.{table} AS t", Token);
            foreach (var column in JsonDocument.Parse(row!).RootElement.EnumerateObject())
                columns.Add($"{table}.{column.Name}", column.Value.GetRawText());
        }
        return columns;
    }
}
