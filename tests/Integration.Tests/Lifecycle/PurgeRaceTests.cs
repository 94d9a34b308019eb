using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Testing;
using Archiver.Testing.Proof;
using static Archiver.Integration.Tests.Lifecycle.Purgeable;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>A message that is written while a purge deletes its session.</summary>
public sealed class PurgeRaceTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // The session is locked by then, its messages are not: what is written to them now is newer than the answer of the selection.
    [Theory]
    [InlineData(
        "UPDATE chat_messages SET timestamp = now(), content = 'edited' WHERE session_id = '{0}' AND sequence = (SELECT "
            + "min(sequence) FROM chat_messages WHERE session_id = '{0}')"
    )]
    [InlineData(
        "INSERT INTO chat_messages (id, session_id, role, content, sequence, timestamp) VALUES (gen_random_uuid(), '{0}', 'user', "
            + "'late', 99, now())"
    )]
    public async Task Keeps_a_session_whose_message_is_written_when_the_purge_has_locked_its_row(string write)
    {
        await using var archiver = await SessionsAsync(servers, "NULL", new BatchSettings(), Token);
        // No foreign key: the lock of the session keeps no message out.
        await archiver.Database.ExecuteAsync("ALTER TABLE chat_messages DROP CONSTRAINT chat_messages_session_id_fkey");
        var session = await SessionAsync(archiver, 0);
        var reached = InProcessFault.Once(FaultPoints.PurgeSessionsLocked, () =>
            archiver.Database.ExecuteAsync(write.Replace("{0}", session, StringComparison.Ordinal))
        );

        var summary = await archiver.RunAsync(
            new Policy
            {
                Source = "main",
                Name = "purge",
                Action = PolicyAction.Purge,
                IdleFor = TimeSpan.FromDays(90),
            },
            Token
        );

        Assert.True(reached());
        Assert.Equal((19L, 1L), (summary.Sessions, summary.Skipped));
        Assert.Equal(1, await archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM chat_sessions WHERE id = '{session}'"));
    }
}
