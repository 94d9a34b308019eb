using Archiver.Core.Diagnostics;
using Archiver.Core.Reading;
using Archiver.Core.Restore;
using Archiver.Core.Sources;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Restore;

/// <summary>A restore that replaces, and is not let through to its end.</summary>
public sealed class ReplacedInPartTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_replaced_is_said_to_be_when_another_worker_takes_the_source_before_the_rest_is_tried_again()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 2, young: 0);
        await archiver.RunAsync(Token);
        await archiver.RestoreAsync(RestoreFixture.Everything, Token);
        await archiver.ExecuteAsync("UPDATE chat_messages SET content = 'edited'", null);
        var held = await archiver.AnyIdleAsync(Token);
        await archiver.Database.ExecuteAsync(
            $"INSERT INTO archiver.holds (source, session_id, reason, created_by) VALUES ('main', '{held}', 'case 7', 'test')"
        );
        var ids = await archiver.Database.ScalarAsync<string>("SELECT string_agg(session_id::text, ',') FROM chat_sessions");
        await using var other = new OtherWorker(archiver);

        var report = await archiver.RestoreAsync(
            RestoreFixture.Session(ids!.Split(',')) with
            {
                OnConflict = ConflictMode.Replace,
            },
            Token,
            progress: other
        );

        Assert.Equal(
            (RunOutcome.Partial, null, 1, 2L, 1L),
            (report.Outcome, report.Error, report.ExitCode, report.Selected, report.Restored)
        );
        var refusal = Assert.Single(report.Refused);
        Assert.Equal(held, refusal.SessionId);
        Assert.Contains("another worker runs on this source by now", refusal.Reason, StringComparison.Ordinal);
        Assert.Equal(
            "restore",
            await archiver.Database.ScalarAsync<string>($"SELECT policy FROM archiver.runs WHERE id = '{report.RunId}'")
        );
    }

    /// <summary>Takes the source's lock as soon as one session has been replaced, and its run has ended.</summary>
    private sealed class OtherWorker(ArchiverFixture archiver) : IProgress<RestoreProgress>, IAsyncDisposable
    {
        private SourceLock? _taken;

        public void Report(RestoreProgress value)
        {
            if (value.Finished == 1)
                _taken ??= Task.Run(() => SourceLock.TryTakeAsync(archiver.Connections, TimeProvider.System, Token))
                    .GetAwaiter()
                    .GetResult();
        }

        public ValueTask DisposeAsync() => _taken?.DisposeAsync() ?? ValueTask.CompletedTask;
    }
}
