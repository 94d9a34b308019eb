using System.IO.Compression;
using Archiver.Core.Diagnostics;
using Archiver.Core.Export;
using Archiver.Core.Ledger;
using Archiver.Core.Pipelines;
using Archiver.Core.Postgres;
using Archiver.Core.Selection;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Upload;
using Archiver.Core.Verification;
using Archiver.Integration.Tests.Restore;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Archiving;

public sealed class TrialRestoreTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(StorageLayout.Session)]
    [InlineData(StorageLayout.Bundle)]
    public async Task Deletes_what_passed_its_trial_whatever_the_types(StorageLayout layout)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(
            servers,
            AnyTypes.Map,
            s => s with { Storage = s.Storage with { Verify = VerifyMode.TrialRestore, Layout = layout } },
            null,
            Token
        );
        await archiver.Database.ExecuteAsync(AnyTypes.Schema, Token);
        await archiver.Database.ExecuteAsync(AnyTypes.Rows, Token);

        var summary = await archiver.RunAsync(Token);

        Assert.Null(summary.Error);
        Assert.Equal((RunOutcome.Done, 3L), (summary.Outcome, summary.Sessions));
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chats", Token));
    }

    [Fact]
    public async Task Keeps_a_session_whose_stored_copy_cannot_be_tried()
    {
        await using var archiver = await CreateAsync(idle: 6);
        var session = await archiver.AnyIdleAsync(Token);
        archiver.Store = new HookedStore(archiver.Store) { HidesRangesOf = name => name.Key.Contains(session, StringComparison.Ordinal) };

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Partial, 5L, 1L), (summary.Outcome, summary.Sessions, summary.Failed));
        Assert.Equal(1, summary.Reasons[DropReason.TrialFailed]);
        Assert.Equal(
            1,
            await archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM chat_sessions WHERE session_id = '{session}'", Token)
        );
        Assert.Equal(
            4,
            await archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM chat_messages WHERE session_id = '{session}'", Token)
        );
    }

    [Fact]
    public async Task Finds_a_difference_on_either_side_and_no_other()
    {
        await using var archiver = await CreateAsync(idle: 6);
        await archiver.ExecuteAsync("ALTER TABLE chat_messages ADD COLUMN score float8 NOT NULL DEFAULT 0.1", null);
        await using var scope = await archiver.BeginAsync(new(archiver.Source, archiver.Policy), Token);
        var run = scope.Context;
        var selected = await new BatchSelector(run).NextAsync(long.MaxValue, Token);
        await using var exported = await new BatchExporter(
            run,
            CompressionLevel.Fastest,
            new ExportServer(run, TimeSpan.Zero, TimeProvider.System)
        ).ExportAsync(selected!, Token);
        var ledger = new ArchiveLedger(run, archiver.Store.Location);
        var uploaded = UploadedBatch.Of(exported);
        var layout = new SessionLayout(run, ledger);
        var names = new PendingNames(layout, ledger, new DatabaseRetry(archiver.Settings.Retry, TimeProvider.System));
        await new BatchUploader(run, archiver.Store, layout, names, 4).UploadAsync(uploaded, Token);
        var verified = await VerifiedBatch.VerifyAsync(uploaded, new ObjectVerifier(archiver.Store, "session_id"), 4, Token);
        await using var trial = new TrialRestore(run, archiver.Store, 4);
        await trial.StageAsync(verified, Token);
        var keys = verified.Sessions.Select(s => s.Key).ToList();
        await archiver.ExecuteAsync(
            "UPDATE chat_messages SET content = content || ' ' WHERE id = (SELECT min(id) FROM chat_messages WHERE session_id = $1)",
            keys[0]
        );
        await archiver.ExecuteAsync(
            "DELETE FROM chat_messages WHERE id = (SELECT min(id) FROM chat_messages WHERE session_id = $1)",
            keys[1]
        );
        await archiver.ExecuteAsync("INSERT INTO chat_messages (session_id, role, content) VALUES ($1, 'user', 'one more')", keys[2]);
        await archiver.ExecuteAsync("UPDATE chat_sessions SET metadata = '{\"other\": 1}' WHERE session_id = $1", keys[3]);

        // The last bit of a number, which the test server's own settings would not show.
        await archiver.ExecuteAsync("UPDATE chat_messages SET score = 0.10000000000000002 WHERE session_id = $1", keys[4]);

        await using var connection = await archiver.Connections.OpenAsync(Token);
        await using var transaction = await connection.BeginTransactionAsync(Token);
        await connection.ExecuteAsync(TransactionSettings.Common, Token);
        var differing = await trial.FindDifferingAsync(connection, transaction, verified.Sessions, Token);

        Assert.Equal(keys.Take(5).Order(StringComparer.Ordinal), differing.Order(StringComparer.Ordinal));
    }

    private Task<ArchiverFixture> CreateAsync(int idle) =>
        ArchiverFixture.CreateAsync(servers, Token, idle, configure: s =>
            s with
            {
                Storage = s.Storage with { Verify = VerifyMode.TrialRestore },
            }
        );
}
