using Archiver.Testing;

namespace Archiver.Integration.Tests.ApplicationSchemas;

/// <summary>A session that a test of the schema status-expiry adds.</summary>
internal static class ExpiringSession
{
    internal static async Task<string> SessionAsync(TestDatabase database, string expiresAt, string status = "active") =>
        (
            await database.ScalarAsync<string>(
                $"""
                INSERT INTO public.sessions (session_id, user_id, status, expires_at)
                VALUES ('test-' || gen_random_uuid(), 'test', '{status}', {expiresAt})
                RETURNING session_id
                """,
                TestContext.Current.CancellationToken
            )
        )!;
}
