using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Integration.Tests.Restore;
using Archiver.Testing;
using Archiver.Testing.Proof;
using Npgsql;

namespace Archiver.Integration.Tests.Proof;

/// <summary>
/// A disk that is really full, under the tables, under the server's log of changes, under the store: a clear outcome, and nothing lost.
/// </summary>
public sealed class FullDiskTests(TestServers servers)
{
    private const int Idle = 6;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Deletes_nothing_while_the_disk_of_the_tables_is_full_and_goes_on_when_there_is_room()
    {
        await using var disk = await SmallDisk.MountAsync(24, Token);
        await using var server = await PostgresServer.StartAsync(Token);
        await disk.GiveToOwnerOfAsync(Path.Combine(server.Folder, "data"), Token);
        await using var archiver = await CreateAsync(server);
        await MoveAsync(server, archiver, disk);
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        var full = InProcessFault.Once(FaultPoints.Verified, () =>
        {
            disk.Fill();
            return Task.CompletedTask;
        });

        var summary = await archiver.RunAsync(Token);

        Assert.True(full());
        Assert.Equal((RunOutcome.Failed, 0L), (summary.Outcome, summary.Sessions));
        // The disk ran full inside a trigger of the application, here the oracle's: such a message may quote a row, so only its condition
        // is repeated.
        Assert.Contains("reported 53100: disk_full", summary.Error, StringComparison.Ordinal);
        disk.Free();
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
        Assert.Equal(
            (RunOutcome.Done, (long)Idle),
            ((await archiver.RunAsync(Token)).Outcome, (await oracle.CountAsync(Token)).SessionsArchived)
        );
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
    }

    // Then the server itself goes down, in the middle of what it does, and comes back by recovery.
    [Fact]
    public async Task Loses_nothing_when_the_disk_of_the_servers_log_is_full_and_the_server_stops_for_it()
    {
        await using var disk = await SmallDisk.MountAsync(64, Token);
        await using var server = await PostgresServer.StartAsync(Token, "min_wal_size = 32MB\nmax_wal_size = 32MB");
        await server.StopAsync(Token);
        var log = Path.Combine(server.Folder, "data", "pg_wal");
        await disk.GiveToOwnerOfAsync(log, Token);
        await ShellAsync($"cp -a {log}/. {disk.Folder}/ && rm -r {log} && ln -s {disk.Folder} {log}");
        await server.StartAgainAsync(Token);
        await using var archiver = await CreateAsync(server);
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        var crashed = false;
        InProcessFault.Once(FaultPoints.Verified, async () =>
        {
            disk.Fill();
            crashed = await WriteUntilItStopsAsync(archiver);
        });

        var summary = await archiver.RunAsync(Token);

        Assert.True(crashed);
        Assert.Equal((RunOutcome.Failed, 0L), (summary.Outcome, summary.Sessions));
        Assert.Contains("The ledger could not record how the run ended", summary.Error, StringComparison.Ordinal);
        disk.Free();
        await server.StopAsync(Token);
        await server.StartAgainAsync(Token);
        archiver.Database.DataSource.Clear();
        // The run could not record its end; the next one does that for it.
        Assert.Empty(await oracle.ViolationsAsync(atRest: false, Token));
        Assert.Equal(
            (RunOutcome.Done, (long)Idle),
            ((await archiver.RunAsync(Token)).Outcome, (await oracle.CountAsync(Token)).SessionsArchived)
        );
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
    }

    [Fact]
    public async Task Deletes_only_what_is_stored_while_the_stores_disk_is_full_and_goes_on_when_there_is_room()
    {
        await using var disk = await SmallDisk.MountAsync(1, Token);
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 40, young: 1, messages: 1, configure: s =>
            s with
            {
                Storage = new StorageSettings { Provider = StorageProvider.File, Path = disk.Folder },
                Batch = s.Batch with { Sessions = 5 },
                Retry = s.Retry with { Budget = TimeSpan.FromMilliseconds(1) },
            }
        );
        // About 2 MB that do not shrink much.
        await archiver.Database.ExecuteAsync(
            "UPDATE chat_messages SET content = (SELECT string_agg(md5(id || '/' || n), '') FROM generate_series(1, 3000) AS n)",
            Token
        );
        var before = await archiver.Database.CopyTablesAsync(archiver);

        var summary = await archiver.RunAsync(Token);

        Assert.Equal(RunOutcome.Failed, summary.Outcome);
        Assert.Contains("No space left on device", summary.Error, StringComparison.Ordinal);
        Assert.Contains("Archiver:Storage:Path", summary.Error, StringComparison.Ordinal);
        Assert.InRange(summary.Sessions, 1, 39);
        Assert.Equal(41 - summary.Sessions, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions", Token));
        await disk.GrowAsync(16, Token);
        Assert.Equal((RunOutcome.Done, 40 - summary.Sessions), await OutcomeAsync(archiver));
        Assert.Equal(40, (await archiver.RestoreAsync(RestoreFixture.Everything, Token)).Restored);
        Assert.Equal(before, await archiver.Database.CopyTablesAsync(archiver));
    }

    private Task<ArchiverFixture> CreateAsync(PostgresServer server) =>
        ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1, server: server.ConnectionString, configure: s =>
            s with
            {
                Retry = s.Retry with { Budget = TimeSpan.FromMilliseconds(1) },
            }
        );

    private static async Task<(RunOutcome Outcome, long Sessions)> OutcomeAsync(ArchiverFixture archiver)
    {
        var summary = await archiver.RunAsync(Token);
        return (summary.Outcome, summary.Sessions);
    }

    /// <summary>Moves the archiver's database to the disk.</summary>
    private static async Task MoveAsync(PostgresServer server, ArchiverFixture archiver, SmallDisk disk)
    {
        archiver.Database.DataSource.Clear();
        await using var all = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(server.ConnectionString) { Pooling = false });
        await using (var create = all.CreateCommand($"CREATE TABLESPACE small LOCATION '{disk.Folder}'"))
            await create.ExecuteNonQueryAsync(Token);
        await using var move = all.CreateCommand(
            $"ALTER DATABASE {new NpgsqlConnectionStringBuilder(archiver.Database.ConnectionString).Database} SET TABLESPACE small"
        );
        await move.ExecuteNonQueryAsync(Token);
    }

    private static async Task<bool> WriteUntilItStopsAsync(ArchiverFixture archiver)
    {
        try
        {
            await archiver.Database.ExecuteAsync(
                "CREATE TABLE filler AS SELECT repeat(md5(n::text), 60) AS text FROM generate_series(1, 60000) AS n",
                Token
            );
            return false;
        }
        catch (NpgsqlException)
        {
            return true;
        }
    }

    private static async Task ShellAsync(string command)
    {
        await using var shell = ChildProcess.Start("bash", ["-c", command]);
        Assert.Equal(0, (await shell.WaitForExitAsync(Token)).ExitCode);
    }
}
