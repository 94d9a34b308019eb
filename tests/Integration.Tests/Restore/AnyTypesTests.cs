using Archiver.Core.Diagnostics;
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
        Assert.Equal(before, await AnyTypes.CopyAsync(archiver.Database));
    }

    [Fact]
    public async Task A_domain_over_json_is_known_by_its_name_as_long_as_the_database_has_it()
    {
        await using var archiver = await AnyTypes.CreateAsync(servers, Token);
        await archiver.Database.ExecuteAsync("UPDATE chats SET settings = '\"123\"' WHERE id = 1");
        var before = await archiver.Database.CopyOutAsync("SELECT id, settings FROM chats ORDER BY id");
        Assert.Equal(3, (await archiver.RunAsync(Token)).Sessions);
        await archiver.Database.ExecuteAsync("ALTER TABLE chats ALTER COLUMN settings TYPE json");

        var report = await archiver.RestoreAsync(RestoreFixture.Everything, Token);

        Assert.Equal((RunOutcome.Done, 3L), (report.Outcome, report.Restored));
        Assert.Equal(before, await archiver.Database.CopyOutAsync("SELECT id, settings FROM chats ORDER BY id"));
    }

    [Fact]
    public async Task Where_a_domain_is_gone_a_string_that_may_be_json_or_text_is_refused()
    {
        await using var archiver = await AnyTypes.CreateAsync(servers, Token);
        Assert.Equal(3, (await archiver.RunAsync(Token)).Sessions);
        await archiver.Database.ExecuteAsync("ALTER TABLE chats ALTER COLUMN settings TYPE json; DROP DOMAIN settings");

        var report = await archiver.RestoreAsync(RestoreFixture.Everything, Token);

        Assert.Equal((RunOutcome.Partial, 2L), (report.Outcome, report.Restored));
        var refusal = Assert.Single(report.Refused);
        Assert.Equal("1", refusal.SessionId);
        Assert.Contains("'settings' was", refusal.Reason, StringComparison.Ordinal);
        Assert.Equal("2\tnull\n3\t\\N\n", await archiver.Database.CopyOutAsync("SELECT id, settings FROM chats ORDER BY id"));
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
