using Archiver.Testing;
using Archiver.Testing.Proof;
using Npgsql;

namespace Archiver.Worker.Tests;

/// <summary>
/// A copy of the database has the same ledger and none of the holds that came later: it destroys no object until it is told that it is the
/// owner.
/// </summary>
public sealed class OwnershipTests(TestServers servers)
{
    private const string Due = """
        UPDATE archiver.archives SET stored_at = now() - interval '400 days';
        UPDATE archiver.objects
          SET created_at = now() - interval '400 days', stored_at = now() - interval '400 days',
            discard_announced_at = now() - interval '31 days';
        UPDATE archiver.ledger SET created_at = now() - interval '3 days';
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_copy_made_from_the_database_as_template_destroys_nothing_until_it_owns_the_ledger()
    {
        await using var archiver = await ArchivedAsync();
        await using var copy = await TestDatabase.CopyAsync(archiver.Database, Token);
        archiver.With("Sources:main:ConnectionString", copy.ConnectionString);
        var session = await copy.ScalarAsync<string>("SELECT min(session_id) FROM archiver.archives");

        foreach (
            var command in new string[][]
            {
                ["discard", "--yes"],
                ["discard"],
                ["erase", session!, "--yes"],
                ["erase", session!],
                ["reconcile", "--fix", "--yes"],
            }
        )
        {
            var refused = await archiver.RunAsync(command);
            Assert.Equal(3, refused.ExitCode);
            Assert.Contains("another database of the same server", refused.Output + refused.Error, StringComparison.Ordinal);
            Assert.Contains("archiver ledger own --yes", refused.Output + refused.Error, StringComparison.Ordinal);
        }
        Assert.Equal(3, (await ObjectsAsync(archiver)).Count);
        Assert.Contains(
            "discard, erase and reconcile --fix destroy nothing: this ledger belongs to database",
            (await archiver.RunAsync("status")).Output,
            StringComparison.Ordinal
        );

        Assert.Equal(3, (await archiver.RunAsync("ledger", "own")).ExitCode);
        Assert.Equal(3, (await archiver.RunAsync("discard", "--yes")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("ledger", "own", "--yes")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("discard", "--yes")).ExitCode);
        Assert.Empty(await ObjectsAsync(archiver));
    }

    /// <summary>A run changes rows of the database that it runs in and destroys no object, so it asks for no owner.</summary>
    [Fact]
    public async Task A_copy_expires_its_own_sessions_and_nobody_elses()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 1, preset: "status-expiry");
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        await archiver.Database.ExecuteAsync("UPDATE sessions SET status = 'active', expires_at = now() - interval '1 second'");
        await using var copy = await TestDatabase.CopyAsync(archiver.Database, Token);
        archiver
            .With("Sources:main:ConnectionString", copy.ConnectionString)
            .With("Sources:main:Policies:over:Action", "Expire")
            .With("Sources:main:Policies:over:ExpiredFor", "0s");

        var result = await archiver.RunAsync("expire");

        Assert.True(result.ExitCode == 0, result.Output + result.Error);
        Assert.Equal(
            ("expired", "active"),
            (
                await copy.ScalarAsync<string>("SELECT status FROM sessions"),
                await archiver.Database.ScalarAsync<string>("SELECT status FROM sessions")
            )
        );
        Assert.Equal(2, (await ObjectsAsync(archiver)).Count);
    }

    [Fact]
    public async Task The_worker_on_a_copy_destroys_nothing_at_night_and_says_so()
    {
        await using var archiver = await ArchivedAsync();
        await using var copy = await TestDatabase.CopyAsync(archiver.Database, Token);
        archiver.With("Sources:main:ConnectionString", copy.ConnectionString);

        await using var worker = archiver.Start("run");
        await Eventually.TrueAsync(
            async () =>
                await copy.ScalarAsync<long>("SELECT count(*) FROM archiver.runs WHERE action = 'discard' AND state = 'refused'") >= 1,
            Token
        );
        await worker.WaitForTextAsync("archiver ledger own --yes", Token);

        Assert.Equal(3, (await ObjectsAsync(archiver)).Count);
        Assert.Contains(
            "Nothing was destroyed: this ledger belongs to database",
            await copy.ScalarAsync<string>("SELECT error FROM archiver.runs WHERE action = 'discard'"),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_copy_with_an_id_of_its_own_never_destroys_the_originals_objects()
    {
        await using var archiver = await ArchivedAsync();
        await using var copy = await TestDatabase.CopyAsync(archiver.Database, Token);
        archiver.With("Sources:main:ConnectionString", copy.ConnectionString);
        var session = await copy.ScalarAsync<string>("SELECT min(session_id) FROM archiver.archives");

        Assert.Equal(0, (await archiver.RunAsync("ledger", "own", "--copy", "--yes")).ExitCode);
        var discarded = await archiver.RunAsync("discard", "--yes");
        var shared = await archiver.RunAsync("erase", session!, "--yes");
        var tombstones = await archiver.Bucket.ListKeysAsync("chat_archives/.archiver/erased/");
        var erased = await archiver.With("Storage:Prefix", "copy").RunAsync("erase", session!, "--yes");
        // Its tombstone is under the copy's prefix.
        await copy.ExecuteAsync("DELETE FROM archiver.erasures");
        Assert.NotEqual(3, (await archiver.With("Storage:Prefix", null).RunAsync("reconcile", "--fix", "--yes")).ExitCode);

        Assert.Equal(1, discarded.ExitCode);
        Assert.Contains("it is of another ledger", discarded.Output, StringComparison.Ordinal);
        // A tombstone beside the original's archives would erase the original's session.
        Assert.Equal(3, shared.ExitCode);
        Assert.Contains("give it a bucket or a prefix of its own", shared.Output + shared.Error, StringComparison.Ordinal);
        Assert.Empty(tombstones);
        Assert.Equal(1, erased.ExitCode);
        Assert.Contains("its object is not this database's: it is of another ledger", erased.Output, StringComparison.Ordinal);
        Assert.Equal(3, (await ObjectsAsync(archiver)).Count);
    }

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

    private async Task<Installation> ArchivedAsync(string layout = "Session", string? postgres = null)
    {
        var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 0, messages: 1, postgres: postgres);
        archiver.With("Discard:After", "365d").With("Storage:Layout", layout);
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        await archiver.Database.ExecuteAsync(Due);
        return archiver;
    }

    private static async Task<IReadOnlyList<string>> ObjectsAsync(Installation archiver) =>
        [.. (await archiver.Bucket.ListKeysAsync("chat_archives/")).Where(k => !k.Contains("/.archiver/", StringComparison.Ordinal))];
}
