using Archiver.Core.Settings;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>Databases whose users have deleted sessions or messages, and one whose sessions expire.</summary>
internal static class Purgeable
{
    /// <summary>Sessions that are due, by their own column.</summary>
    public const string Due = "deleted_at < now() - interval '90 days'";

    /// <param name="servers">The servers.</param>
    /// <param name="deletedAt">Each session's time of deletion, where <c>n</c> counts them.</param>
    /// <param name="batch">Bounds of a batch.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="configure">Further settings.</param>
    /// <param name="idle">How many sessions are idle; four more are not.</param>
    public static async Task<ArchiverFixture> SessionsAsync(
        TestServers servers,
        string deletedAt,
        BatchSettings batch,
        CancellationToken cancellationToken,
        Func<ArchiverSettings, ArchiverSettings>? configure = null,
        int idle = 20
    )
    {
        var archiver = await ArchiverFixture.CreateAsync(
            servers,
            cancellationToken,
            idle,
            young: 4,
            messages: 3,
            preset: "soft-delete",
            configure: s => (configure ?? (x => x))(s with { Batch = batch })
        );
        await archiver.Database.ExecuteAsync(
            $"UPDATE chat_sessions s SET deleted_at = {deletedAt} FROM (SELECT id, row_number() OVER "
                + "(ORDER BY id) AS n FROM chat_sessions) r WHERE r.id = s.id",
            cancellationToken
        );
        return archiver;
    }

    /// <summary>Sessions that stay, with messages of which each has a time of deletion; <c>n</c> counts the messages.</summary>
    public static async Task<ArchiverFixture> MessagesAsync(
        TestServers servers,
        string deletedAt,
        BatchSettings batch,
        CancellationToken cancellationToken
    )
    {
        var archiver = await SessionsAsync(servers, "NULL", batch, cancellationToken);
        await archiver.Database.ExecuteAsync(
            $"UPDATE chat_messages m SET deleted_at = {deletedAt} FROM (SELECT id, row_number() OVER "
                + "(ORDER BY id) AS n FROM chat_messages) r WHERE r.id = m.id",
            cancellationToken
        );
        return archiver;
    }

    /// <summary>Active sessions with a time at which they expire; <c>n</c> counts them.</summary>
    public static async Task<ArchiverFixture> ExpiringAsync(
        TestServers servers,
        string expiresAt,
        BatchSettings batch,
        CancellationToken cancellationToken,
        Func<ArchiverSettings, ArchiverSettings>? configure = null
    )
    {
        var archiver = await ArchiverFixture.CreateAsync(
            servers,
            cancellationToken,
            idle: 20,
            young: 4,
            messages: 2,
            preset: "status-expiry",
            configure: s => (configure ?? (x => x))(s with { Batch = batch })
        );
        await archiver.Database.ExecuteAsync(
            $"UPDATE sessions s SET status = 'active', expires_at = {expiresAt}, updated_at = "
                + "s.updated_at FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM sessions) r WHERE r.id = s.id",
            cancellationToken
        );
        return archiver;
    }

    /// <summary>Key of a session by its place in the order of selection.</summary>
    public static async Task<string> SessionAsync(ArchiverFixture archiver, int position) =>
        (
            await archiver.Database.ScalarAsync<string>(
                $"SELECT id::text FROM chat_sessions ORDER BY last_activity, id OFFSET {position} LIMIT 1"
            )
        )!;

    /// <summary>Sessions that meet the condition, with their messages, as text.</summary>
    public static async Task<string> RowsAsync(TestDatabase db, string condition = "true") =>
        await db.CopyOutAsync($"SELECT * FROM chat_sessions WHERE {condition} ORDER BY id")
        + await db.CopyOutAsync(
            $"SELECT * FROM chat_messages WHERE session_id IN (SELECT id FROM chat_sessions WHERE {condition}) ORDER BY id"
        );
}
