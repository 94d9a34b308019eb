using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Archiving;

/// <summary>A run in which one session is not as it was exported.</summary>
internal static class OneChangedSession
{
    internal const int Idle = 6;

    internal static async Task AssertOnlyStaysAsync(ArchiverFixture archiver, string session, RunSummary summary, string reason)
    {
        Assert.Null(summary.Error);
        Assert.Equal((RunOutcome.Done, Idle - 1L, 1L), (summary.Outcome, summary.Sessions, summary.Skipped));
        Assert.Equal(1, summary.Reasons[reason]);
        var db = archiver.Database;
        Assert.Equal(
            session,
            await db.ScalarAsync<string>("SELECT session_id::text FROM chat_sessions WHERE last_activity < now() - interval '90 days'")
        );
        Assert.Equal("abandoned", await db.ScalarAsync<string>($"SELECT state FROM archiver.archives WHERE session_id = '{session}'"));
        Assert.Equal("abandoned", await db.ScalarAsync<string>($"SELECT state FROM archiver.objects WHERE members = ARRAY['{session}']"));
        Assert.Equal(Idle - 1, await db.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state = 'archived'"));
    }
}
