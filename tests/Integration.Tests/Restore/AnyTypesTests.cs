using Archiver.Core.Ledger;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Restore;

public sealed class AnyTypesTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_type_and_a_grandchild_come_back_equal_and_identity_values_are_kept()
    {
        await using var archiver = await AnyTypes.CreateAsync(servers, Token);
        var before = await AnyTypes.CopyAsync(archiver.Database);
        Assert.Equal(3, (await archiver.RunAsync(Token)).Sessions);

        var report = await archiver.RestoreAsync(RestoreFixture.Everything, Token);

        Assert.Null(report.Error);
        Assert.Empty(report.Refused);
        Assert.Equal((RunOutcome.Done, 3L), (report.Outcome, report.Restored));
        // The one thing that a document does not keep: a line break between tokens of a json value is a space.
        Assert.Equal(before.Replace("1.50,\\n", "1.50, ", StringComparison.Ordinal), await AnyTypes.CopyAsync(archiver.Database));
    }

    [Fact]
    public async Task In_an_empty_database_the_sequences_go_on_behind_the_restored_values()
    {
        await using var archiver = await AnyTypes.CreateAsync(servers, Token);
        await archiver.RunAsync(Token);
        await using var other = await TestDatabase.CreateAsync(servers, Token);
        await other.ExecuteAsync(AnyTypes.Schema);

        var report = await archiver.RestoreAsync(RestoreFixture.Everything with { TargetConnectionString = other.ConnectionString }, Token);

        Assert.Null(report.Error);
        Assert.Empty(report.Refused);
        Assert.Equal((RunOutcome.Done, 3L), (report.Outcome, report.Restored));
        Assert.Equal(4, await other.ScalarAsync<long>("INSERT INTO chats (seen) VALUES (now()) RETURNING id"));
        Assert.Equal(5, await other.ScalarAsync<long>("INSERT INTO notes (chat_id) VALUES (4) RETURNING id"));
        Assert.Equal(3, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state = 'archived'"));
    }
}
