using Archiver.Core.Diagnostics;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>
/// Discard and erasure of another application: soft-delete, whose ids are text of any kind, in keys that have to escape it.
/// </summary>
public sealed class TextIdTests(TestServers servers)
{
    private const string User = "user-to-forget";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Erases_a_user_and_discards_the_rest_of_what_is_old()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(
            servers,
            Token,
            idle: 6,
            young: 2,
            messages: 2,
            preset: "soft-delete",
            configure: s =>
                s with
                {
                    Discard = new() { After = TimeSpan.FromDays(365), Notice = TimeSpan.FromDays(30) },
                }
        );
        var db = archiver.Database;
        // Ids that are each other's beginnings, and signs that a key, a pattern or a statement might take for its own.
        await db.ExecuteAsync(
            $"""
            ALTER TABLE chat_messages DROP CONSTRAINT chat_messages_session_id_fkey;
            ALTER TABLE chat_sessions ALTER COLUMN id DROP DEFAULT, ALTER COLUMN id TYPE text;
            ALTER TABLE chat_messages ALTER COLUMN session_id TYPE text;
            ALTER TABLE chat_messages ADD CONSTRAINT chat_messages_session_id_fkey FOREIGN KEY (session_id) REFERENCES chat_sessions (id)
              ON UPDATE CASCADE;
            UPDATE chat_sessions s SET user_id = CASE WHEN r.n IN (1, 3, 8) THEN '{User}' ELSE 'somebody' END, deleted_at = NULL,
              id = (ARRAY['chat', 'chat~2', 'chat/1', 'chat''s %_', 'ch' || chr(228) || 't 5', 'chat\6', 'young-7', 'chat.8'])[r.n]
            FROM (SELECT id, row_number() OVER (ORDER BY last_activity, id) AS n FROM chat_sessions) AS r WHERE r.id = s.id;
            ALTER TABLE chat_messages DROP CONSTRAINT chat_messages_session_id_fkey;
            ALTER TABLE chat_messages ADD CONSTRAINT chat_messages_session_id_fkey FOREIGN KEY (session_id) REFERENCES chat_sessions (id);
            UPDATE chat_sessions SET settings = NULL, metadata = NULL;
            UPDATE chat_messages SET tool_calls = NULL, metadata = NULL;
            """,
            Token
        );
        var oracle = await Oracle.AttachAsync(db, archiver.Bucket, Token, ShadowTable.SoftDelete);
        Assert.Equal(6, (await archiver.RunAsync(Token)).Sessions);
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));

        var receipt = await archiver.EraseAsync(new() { User = User }, Token);

        Assert.Equal((null, true, 3, 2L, 3L), (receipt.Error, receipt.Complete, receipt.Sessions.Count, receipt.Objects, receipt.Rows));
        Assert.Equal(["chat", "chat.8", "chat/1"], receipt.Sessions.Select(s => s.SessionId).Order(StringComparer.Ordinal));
        Assert.Equal("young-7", await db.ScalarAsync<string>("SELECT string_agg(id, ',') FROM chat_sessions"));
        Assert.Equal(4, (await archiver.Bucket.ListKeysAsync("chat_archives/2", Token)).Count);
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));

        await db.ExecuteAsync(
            """
            UPDATE archiver.archives SET stored_at = now() - interval '400 days' WHERE session_id LIKE 'chat%';
            UPDATE archiver.objects SET created_at = now() - interval '400 days', stored_at = now() - interval '400 days'
              WHERE id IN (SELECT object_id FROM archiver.archives WHERE session_id LIKE 'chat%');
            """,
            Token
        );
        Assert.Equal(3, (await archiver.DiscardAsync(Token)).Announced.Archives);
        await db.ExecuteAsync("UPDATE archiver.objects SET discard_announced_at = discard_announced_at - interval '31 days'", Token);
        var report = await archiver.DiscardAsync(Token);

        Assert.Equal((RunOutcome.Done, 3L), (report.Outcome, report.Discarded.Archives));
        Assert.Equal(
            "ch\u00e4t 5",
            await db.ScalarAsync<string>("SELECT string_agg(session_id, ',') FROM archiver.archives WHERE state = 'archived'")
        );
        Assert.Contains(
            "ch%C3%A4t%205",
            Assert.Single(await archiver.Bucket.ListKeysAsync("chat_archives/2", Token)),
            StringComparison.Ordinal
        );
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
    }
}
