using System.Globalization;
using Archiver.Core.Selection;

namespace Archiver.Worker.Output;

/// <summary>
/// One session that would be taken; the time it was inactive in seconds, null where its last activity is not a date of this calendar.
/// </summary>
internal sealed record PlannedSessionJson(
    string SessionId,
    string? ExternalId,
    string? UserId,
    string? LastActivity,
    TimeSpan? InactiveFor,
    long Messages,
    long Rows,
    long Bytes
)
{
    public static PlannedSessionJson Of(SelectedSession session, DateTimeOffset now) =>
        new(
            session.Key,
            session.ExternalId,
            session.User,
            session.LastActivity,
            Inactive(session.LastActivity, now),
            session.Messages,
            session.Rows,
            session.Bytes
        );

    // PostgreSQL's text in UTC: 2026-01-31 02:00:00.123+00.
    private static TimeSpan? Inactive(string? lastActivity, DateTimeOffset now) =>
        DateTimeOffset.TryParseExact(
            lastActivity,
            ["yyyy-MM-dd HH:mm:sszz", "yyyy-MM-dd HH:mm:ss.FFFFFFzz"],
            CultureInfo.InvariantCulture,
            DateTimeStyles.None,
            out var instant
        )
            ? now - instant
            : null;
}
