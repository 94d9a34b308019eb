using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>A delayed delete takes nothing whose stored copy is not what it was.</summary>
public sealed class DelayedDamageTests(TestServers servers) : DelayedScenario(servers)
{
    private const string Versions = "hashtidextended(ctid, (tableoid::bigint << 32) # xmin::text::bigint)";

    [Theory]
    [InlineData(StorageLayout.Session, true)]
    [InlineData(StorageLayout.Session, false)]
    [InlineData(StorageLayout.Bundle, true)]
    [InlineData(StorageLayout.Bundle, false)]
    public async Task Deletes_nothing_whose_object_was_damaged_or_removed_in_between(StorageLayout layout, bool damaged)
    {
        await using var archiver = await StoredAsync(idle: 3, layout);
        var db = archiver.Database;
        await MakeDueAsync(archiver, "8 days", 3);
        // In a bundle of all sessions the last byte is nobody's but the whole's.
        var key = (await archiver.Bucket.ListKeysAsync("chat_archives/")).First(k => !k.Contains(".archiver", StringComparison.Ordinal));
        var bytes = await archiver.Bucket.GetRawAsync(key, Token);
        bytes[^1] ^= 1;
        if (damaged)
            await archiver.Bucket.PutRawAsync(key, bytes, Token);
        else
            await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, key, Token);
        var lost = layout == StorageLayout.Bundle ? 3 : 1;
        var rows = await RowsAsync(archiver, $"IN (SELECT unnest(members) FROM archiver.objects WHERE key = '{key}')");

        var summary = await archiver.RunAsync(Delayed, Token);

        Assert.Equal((RunOutcome.Partial, 1, 3L - lost, (long)lost), (summary.Outcome, summary.ExitCode, summary.Delayed, summary.Failed));
        Assert.Equal(lost, summary.Reasons[damaged ? DropReason.Corrupt : DropReason.Missing]);
        Assert.Equal(rows, await RowsAsync(archiver));
        Assert.Equal(
            lost,
            await db.ScalarAsync<long>(
                "SELECT count(*) FROM archiver.archives WHERE state = 'superseded' AND reason = "
                    + $"'{(damaged ? DropReason.Corrupt : DropReason.Missing)}'"
            )
        );
        Assert.Equal(
            (lost, 0),
            (
                await db.ScalarAsync<long>("SELECT count(*) FROM archiver.quarantine"),
                await db.ScalarAsync<long>("SELECT count(*) FROM chat_sessions WHERE archived")
            )
        );
        await db.ExecuteAsync("DELETE FROM archiver.quarantine");
        var again = await archiver.RunAsync(Delayed, Token);
        Assert.Equal((RunOutcome.Done, lost, 0), (again.Outcome, again.Sessions, again.Delayed));
        Assert.Equal(lost, await db.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state = 'stored' AND generation = 2"));
    }

    [Fact]
    public async Task Deletes_nothing_whose_document_is_another_than_the_ledger_has()
    {
        await using var archiver = await StoredAsync(idle: 3);
        await MakeDueAsync(archiver, "8 days", 3);
        var session = await archiver.Database.ScalarAsync<string>(
            "UPDATE archiver.archives SET json_sha256 = sha256('another') WHERE id = (SELECT min(id) FROM archiver.archives) RETURNING "
                + "session_id",
            Token
        );

        var summary = await archiver.RunAsync(Delayed, Token);

        Assert.Equal((RunOutcome.Partial, 2L, 1L), (summary.Outcome, summary.Delayed, summary.Failed));
        Assert.Equal(1, summary.Reasons[DropReason.Corrupt]);
        Assert.Equal(
            session,
            await archiver.Database.ScalarAsync<string>($"SELECT session_id::text FROM chat_sessions WHERE session_id = '{session}'", Token)
        );
    }

    // As after a failover or a restore, when other rows may bear the names of those that were stored.
    [Theory]
    [InlineData("chat_messages", "messages", "UPDATE chat_messages SET content = 'other' WHERE session_id = $1")]
    [InlineData("chat_sessions", "session", "UPDATE chat_sessions SET session_title = 'other' WHERE session_id = $1")]
    [InlineData("chat_sessions", "session", "UPDATE chat_sessions SET session_title = NULL WHERE session_id = $1")]
    public async Task Never_deletes_by_the_names_of_versions_alone(string table, string name, string sql)
    {
        await using var archiver = await StoredAsync(idle: 2);
        await MakeDueAsync(archiver, "8 days", 2);
        var session = await archiver.AnyIdleAsync(Token);
        await archiver.ExecuteAsync(sql, session);
        await archiver.Database.ExecuteAsync(
            $"""
            UPDATE archiver.archives
              SET fingerprints = jsonb_set(fingerprints, ARRAY['{name}', 'hash'], to_jsonb((SELECT sum({Versions})::text FROM {table}
                WHERE session_id = '{session}')))
            WHERE session_id = '{session}'
            """
        );

        var summary = await archiver.RunAsync(Delayed, Token);

        Assert.Equal((1L, 1L), (summary.Delayed, summary.Reasons[DropReason.Changed]));
        Assert.Equal(
            Messages,
            await archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM chat_messages WHERE session_id = '{session}'")
        );
        Assert.Equal(
            "1 superseded, 2 stored",
            await archiver.Database.ScalarAsync<string>(
                "SELECT string_agg(generation || ' ' || state, "
                    + $"', ' ORDER BY generation) FROM archiver.archives WHERE session_id = '{session}'"
            )
        );
    }
}
