using Archiver.Testing;
using Archiver.Testing.Proof;
using Npgsql;

namespace Archiver.Worker.Tests;

/// <summary>Objects of another database or ledger are not destroyed, one's own of another name are.</summary>
public sealed class ForeignObjectTests(TestServers servers) : OwnershipScenario(servers)
{
    /// <summary>
    /// A copy that was there before the ledger kept owners counts as the owner when it is upgraded; the objects say that they are not its.
    /// </summary>
    [Theory]
    [InlineData("Session")]
    [InlineData("Bundle")]
    public async Task Destroys_no_object_that_says_it_comes_from_another_database(string layout)
    {
        await using var archiver = await ArchivedAsync(layout);
        await using var copy = await TestDatabase.CopyAsync(archiver.Database, Token);
        await copy.ExecuteAsync(
            "UPDATE archiver.owners SET database = current_database(), database_oid = (SELECT oid FROM pg_database "
                + "WHERE datname = current_database())"
        );
        var original = new NpgsqlConnectionStringBuilder(archiver.Database.ConnectionString).Database;
        archiver.With("Sources:main:ConnectionString", copy.ConnectionString);
        var session = await copy.ScalarAsync<string>("SELECT min(session_id) FROM archiver.archives");
        var (before, manifests) = (await ObjectsAsync(archiver), await archiver.Bucket.ListKeysAsync("chat_archives/.archiver/manifests/"));

        Assert.Equal(3, (await archiver.RunAsync("erase", session!, "--yes")).ExitCode);
        var erased = await archiver.With("Storage:Prefix", "copy").RunAsync("erase", session!, "--yes");
        var discarded = await archiver.With("Storage:Prefix", null).RunAsync("discard", "--yes");
        Assert.Equal(before, await ObjectsAsync(archiver));
        Assert.Equal(manifests, await archiver.Bucket.ListKeysAsync("chat_archives/.archiver/manifests/"));
        // Without manifests, which would keep them too.
        foreach (var manifest in manifests)
            await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Settings.Bucket, manifest, Token);
        await copy.ExecuteAsync(
            "DELETE FROM archiver.erasures; UPDATE archiver.objects SET state = 'abandoned'; UPDATE archiver.runs SET state = 'interrupted'"
        );
        var reconciled = await archiver.RunAsync("reconcile", "--fix", "--yes", "--json");
        await copy.ExecuteAsync("UPDATE archiver.objects SET state = 'stored'; UPDATE archiver.archives SET state = 'archived'");

        Assert.Equal(1, erased.ExitCode);
        Assert.NotEmpty(manifests);
        Assert.Equal(1, discarded.ExitCode);
        Assert.Contains($"it is of database '{original}' of system", discarded.Output, StringComparison.Ordinal);
        Assert.Contains("which this ledger never belonged to", reconciled.Output, StringComparison.Ordinal);
        Assert.Equal(before, await ObjectsAsync(archiver));

        var system = await copy.ScalarAsync<string>("SELECT system_identifier::text FROM pg_control_system()");
        Assert.Equal(0, (await archiver.RunAsync("ledger", "own", "--from", $"{system}/{original}", "--yes")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("discard", "--yes")).ExitCode);
        Assert.Empty(await ObjectsAsync(archiver));
    }

    [Fact]
    public async Task A_promoted_standby_goes_on_archiving_and_destroys_nothing_until_it_owns_the_ledger()
    {
        await using var server = await PostgresServer.StartAsync(Token);
        await using var archiver = await ArchivedAsync(postgres: server.ConnectionString);
        await using var standby = await StandbyServer.CopyAsync(server, Token);
        await server.StopAsync(Token);
        await standby.TakeOverAsync(server.ConnectionString, Token);

        var refused = await archiver.RunAsync("discard", "--yes");

        Assert.Equal(3, refused.ExitCode);
        Assert.Contains(
            "it was promoted or restored to a point in time since then",
            refused.Output + refused.Error,
            StringComparison.Ordinal
        );
        Assert.Equal(3, (await ObjectsAsync(archiver)).Count);
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("ledger", "own", "--yes")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("discard", "--yes")).ExitCode);
        Assert.Empty(await ObjectsAsync(archiver));
    }

    [Fact]
    public async Task Objects_of_a_ledger_that_was_lost_are_the_new_ones_once_it_is_rebuilt()
    {
        await using var archiver = await ArchivedAsync();
        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE");
        // A run before the rebuild gives the new ledger a life of its own, and with it an id.
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("ledger", "rebuild")).ExitCode);
        await archiver.Database.ExecuteAsync(Due);

        Assert.Equal(0, (await archiver.RunAsync("discard", "--yes")).ExitCode);
        Assert.Empty(await ObjectsAsync(archiver));
    }

    [Fact]
    public async Task A_database_with_another_name_is_told_once_and_keeps_its_objects()
    {
        await using var archiver = await ArchivedAsync();
        await archiver.Database.ExecuteAsync("UPDATE archiver.owners SET database = 'chat'");
        var refused = await archiver.RunAsync("discard", "--yes");
        Assert.Equal(3, refused.ExitCode);
        Assert.Contains("it has another name now", refused.Output + refused.Error, StringComparison.Ordinal);

        await archiver.RunAsync("ledger", "own", "--yes");

        Assert.Contains(
            "this database is the owner of its ledger",
            (await archiver.RunAsync("ledger", "own")).Output,
            StringComparison.Ordinal
        );
        Assert.Equal(0, (await archiver.RunAsync("discard", "--yes")).ExitCode);
        Assert.Equal(2, (await archiver.RunAsync("ledger", "own", "--from", "chat", "--yes")).ExitCode);
        Assert.Equal(2, (await archiver.RunAsync("ledger", "own", "--from", "1/chat", "--copy", "--yes")).ExitCode);
    }
}
