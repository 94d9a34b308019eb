using Archiver.Testing;

namespace Archiver.Worker.Tests.Proof;

/// <summary>Keys of sessions that were erased, and begin again.</summary>
internal sealed class ErasedKeys(Installation archiver, ProofVerbs verbs, ProofClaims claims)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Erases a session, lets the application begin another under its key, and has that archived and restored.</summary>
    public async Task EraseAndBeginAgainAsync(string id, TestBucket bucket)
    {
        var objects = await claims.ObjectsAsync(id, Token);
        await verbs.DoneAsync("erase", id, "--yes");
        await claims.ErasedAsync(id, objects, bucket, Token);
        await archiver.Database.ExecuteAsync(
            $"""
            INSERT INTO chat_sessions (session_id, session_title, created_at, last_activity)
              VALUES ('{id}', 'again', clock_timestamp(), now() - interval '100 days');
            INSERT INTO chat_messages (session_id, role, content, timestamp) VALUES ('{id}', 'user', 'again', now() - interval '100 days');
            """,
            Token
        );
        // Writers may keep it from being archived now, and for good where they write into it, reopen or delete it.
        var idle = $"""
            SELECT count(*) FROM chat_sessions AS s WHERE s.session_id = '{id}' AND s.last_activity < now() - interval '90 days'
              AND NOT EXISTS (SELECT FROM chat_messages AS m WHERE m.session_id = s.session_id
                AND m.timestamp >= now() - interval '90 days')
            """;
        await Eventually.TrueAsync(
            async () =>
            {
                await verbs.UnlessLockedAsync(["archive"]);
                return await archiver.Database.ScalarAsync<long>(idle, Token) == 0;
            },
            Token,
            TimeSpan.FromMinutes(3),
            "the session that began again was archived"
        );
        if (
            await archiver.Database.ScalarAsync<long>(
                $"SELECT count(*) FROM archiver.archives WHERE session_id = '{id}' AND state = 'archived'",
                Token
            ) > 0
        )
        {
            await verbs.DoneAsync("restore", id);
            await claims.RestoredAsync([id], Token);
        }
    }
}
