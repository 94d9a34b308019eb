using System.IO.Compression;
using System.Text.Json;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Integration.Tests.Lifecycle;
using Archiver.Integration.Tests.Restore;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Integration.Tests.Proof;

/// <summary>
/// A table that takes the name of a mapped one in the middle of a run, as a migration swaps them: the one that was inspected is as it was,
/// but statements go by the name (docs/protocol.md rules 1 and 9).
/// </summary>
public sealed class SwappedTableTests(TestServers servers)
{
    private const int Idle = 4;
    private const string Renamed = "ALTER TABLE chat_messages RENAME TO former; ALTER TABLE spare RENAME TO chat_messages";
    private const string Moved =
        "CREATE SCHEMA former; ALTER TABLE chat_messages SET SCHEMA former; ALTER TABLE spare RENAME TO chat_messages";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Renamed)]
    [InlineData(Moved)]
    public async Task Exports_no_table_that_took_the_name_of_the_inspected_one(string swap)
    {
        await using var archiver = await CreateAsync();
        var reached = InProcessFault.Once(FaultPoints.Selected, () => archiver.ExecuteAsync(swap, null));

        var summary = await archiver.RunAsync(Token);

        Assert.True(reached());
        Assert.Equal((RunOutcome.Done, null, (long)Idle), (summary.Outcome, summary.Error, summary.Sessions));
        var keys = await archiver.Bucket.ListKeysAsync("chat_archives/2", Token);
        Assert.Equal(Idle, keys.Count);
        foreach (var key in keys)
        {
            await using var gzip = new GZipStream(
                new MemoryStream(await archiver.Bucket.GetRawAsync(key, Token)),
                CompressionMode.Decompress
            );
            using var document = await JsonDocument.ParseAsync(gzip, cancellationToken: Token);
            Assert.All(document.RootElement.GetProperty("messages").EnumerateArray(), m =>
                Assert.Equal("in the copy, too", m.GetProperty("extra").GetString())
            );
        }
    }

    [Theory]
    [InlineData(Renamed)]
    [InlineData(Moved)]
    public async Task Deletes_from_no_table_that_took_the_name_of_the_exported_one(string swap)
    {
        await using var archiver = await CreateAsync();
        var reached = InProcessFault.Once(FaultPoints.Verified, () => archiver.ExecuteAsync(swap, null));

        var summary = await archiver.RunAsync(Token);

        Assert.True(reached());
        Assert.Equal((0L, (long)Idle), (summary.Sessions, summary.Skipped));
        Assert.Equal(Idle, summary.Reasons[DropReason.TableChanged]);
    }

    [Fact]
    public async Task Purges_no_table_that_took_the_name_of_the_inspected_one()
    {
        await using var archiver = await CreateAsync();
        var reached = InProcessFault.Once(FaultPoints.ChangeSelected, () => archiver.ExecuteAsync(Renamed, null));

        var summary = await archiver.RunAsync(PolicyRuns.Archive() with { Name = "purge", Action = PolicyAction.Purge }, Token);

        Assert.True(reached());
        Assert.Equal((0L, (long)Idle), (summary.Sessions, summary.Skipped));
        Assert.Equal(Idle, summary.Reasons[DropReason.TableChanged]);
        Assert.Equal(Idle + 1, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions", Token));
    }

    [Theory]
    [InlineData(Renamed)]
    [InlineData(Moved)]
    public async Task Restores_to_no_table_that_took_the_name_of_the_one_that_was_looked_at(string swap)
    {
        await using var archiver = await CreateAsync();
        Assert.Equal(Idle, (await archiver.RunAsync(Token)).Sessions);
        var reached = InProcessFault.Once(FaultPoints.RestoreStaged, () => archiver.ExecuteAsync(swap, null));

        var report = await archiver.RestoreAsync(RestoreFixture.Everything, Token);

        Assert.True(reached());
        Assert.Equal((RunOutcome.Failed, 0L), (report.Outcome, report.Restored));
        Assert.Contains("A table was changed while sessions were being restored", report.Error, StringComparison.Ordinal);
        Assert.Equal(1, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions", Token));
    }

    /// <summary>Beside the messages there is a copy of their table with a column more; no foreign key ties them to the sessions.</summary>
    private async Task<ArchiverFixture> CreateAsync()
    {
        var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1);
        await archiver.ExecuteAsync(
            """
            ALTER TABLE chat_messages DROP CONSTRAINT chat_messages_session_id_fkey;
            CREATE TABLE spare (LIKE chat_messages INCLUDING ALL);
            INSERT INTO spare SELECT m.* FROM chat_messages m;
            ALTER TABLE spare ADD COLUMN extra text NOT NULL DEFAULT 'in the copy, too';
            """,
            null
        );
        return archiver;
    }
}
