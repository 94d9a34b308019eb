using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Worker.Tests.Query;

/// <summary>A world that changes under a query: it answers nothing that is not true any more, and leaves nothing.</summary>
public sealed class ChangingQueryTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("query", "SELECT * FROM messages", "Session")]
    [InlineData("search", "e", "Session")]
    [InlineData("query", "SELECT * FROM messages", "Bundle")]
    public async Task Answers_nothing_when_a_session_is_erased_meanwhile(string verb, string asked, string layout)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 4, young: 0, messages: 2);
        await archiver.With("Storage:Layout", layout).RunAsync("archive");
        var session = await archiver.Database.ScalarAsync<string>(
            "SELECT session_id FROM archiver.archives ORDER BY object_id, byte_offset LIMIT 1"
        );
        var last = (await archiver.Database.ScalarAsync<string>("SELECT key FROM archiver.objects ORDER BY id DESC LIMIT 1"))!;
        var store = archiver.Value("Storage:Endpoint");
        var (eraser, erased) = (new Dictionary<string, string?>(), 0);
        await using var proxy = new FaultProxy(new Uri(store!), (method, path) =>
        {
            if (
                method == "GET"
                && Uri.UnescapeDataString(path).Contains(last, StringComparison.Ordinal)
                && Interlocked.Exchange(ref erased, 1) == 0
            )
            {
                // The last one is on its way: the others have been fetched.
                var erasing = Task.Run(() => ArchiverProcess.RunAsync(["erase", session!, "--yes"], eraser, Token))
                    .GetAwaiter()
                    .GetResult();
                Assert.Equal(0, erasing.ExitCode);
            }
            return StoreFault.None;
        });
        foreach (var (name, value) in InstallationEnvironment.Of(archiver.Database.ConnectionString, archiver.Bucket.Settings))
            eraser[name] = value;
        archiver.With("Storage:Endpoint", proxy.Endpoint.ToString()).With("Storage:UploadConcurrency", "1");

        var result = await archiver.RunAsync(verb, asked);

        Assert.Equal(1, erased);
        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Matches("were erased, discarded or replaced while|is missing in", result.Error);
        var again = await archiver.RunAsync(
            "query",
            "SELECT count(*) AS n, count(*) FILTER (session_id = '" + session + "') AS erased FROM sessions",
            "--json"
        );
        Assert.Equal("{\"n\":3,\"erased\":0}\n", again.Output);
    }

    [Fact]
    public async Task Never_shows_an_erased_session_of_a_ledger_that_was_restored()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 0, messages: 2);
        await archiver.RunAsync("archive");
        var session = (await archiver.Database.ScalarAsync<string>("SELECT session_id FROM archiver.archives ORDER BY id LIMIT 1"))!;
        var key = (
            await archiver.Database.ScalarAsync<string>(
                "SELECT o.key FROM archiver.objects AS o JOIN archiver.archives AS a ON "
                    + $"a.object_id = o.id WHERE a.session_id = '{session}'"
            )
        )!;
        var bytes = await archiver.Bucket.GetRawAsync(key, Token);
        await archiver.Database.ExecuteAsync(
            "CREATE TABLE saved_archives AS SELECT * FROM archiver.archives; CREATE TABLE saved_objects AS SELECT * FROM archiver.objects"
        );
        Assert.Equal(0, (await archiver.RunAsync("erase", session, "--yes")).ExitCode);
        // A backup of ledger and bucket, but for the tombstones.
        await archiver.Bucket.PutRawAsync(key, bytes, Token);
        await archiver.Database.ExecuteAsync(
            """
            DELETE FROM archiver.archives WHERE state = 'erased'; DELETE FROM archiver.objects WHERE state = 'erased';
            INSERT INTO archiver.objects OVERRIDING SYSTEM VALUE SELECT * FROM saved_objects AS s
              WHERE NOT EXISTS (SELECT FROM archiver.objects AS o WHERE o.id = s.id);
            INSERT INTO archiver.archives OVERRIDING SYSTEM VALUE SELECT * FROM saved_archives AS s
              WHERE NOT EXISTS (SELECT FROM archiver.archives AS a WHERE a.id = s.id)
            """
        );

        var result = await archiver.RunAsync(
            "query",
            $"SELECT count(*) AS n, count(*) FILTER (session_id = '{session}') AS erased FROM sessions",
            "--json"
        );

        Assert.True((result.ExitCode, result.Output) == (0, "{\"n\":2,\"erased\":0}\n"), result.Output + result.Error);
    }

    [Fact]
    public async Task Says_so_when_the_folder_for_temporary_files_is_full()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0, messages: 4);
        // More than is kept in memory, and nothing that compresses.
        await archiver.Database.ExecuteAsync(
            "UPDATE chat_messages SET content = (SELECT string_agg(md5(random()::text), '') FROM "
                + "generate_series(1, 150000) WHERE chat_messages.id > 0)"
        );
        await archiver.RunAsync("archive");
        await using var disk = await SmallDisk.MountAsync(28, Token);
        async Task<ProcessResult> AskAsync(string sql)
        {
            await using var process = archiver.Start(
                new Dictionary<string, string?> { ["TMPDIR"] = disk.Folder },
                "query",
                sql,
                "--memory",
                "256MiB"
            );
            return await process.WaitForExitAsync(Token);
        }

        var spilled = await AskAsync(
            "SELECT count(*) FROM (SELECT DISTINCT md5(i::varchar) || md5((i + 1)::varchar) FROM range(1500000) AS r (i))"
        );
        Assert.Empty(Directory.GetFileSystemEntries(disk.Folder));
        disk.Fill();
        var full = await AskAsync("SELECT 1");
        disk.Free();
        Directory.CreateDirectory(Path.Combine(disk.Folder, "archiver-query-left")).Refresh();
        File.Create(Path.Combine(disk.Folder, "archiver-query-left", "lock")).Dispose();
        var after = await AskAsync("SELECT 1 AS a");

        Assert.Equal((1, ""), (spilled.ExitCode, spilled.Output));
        Assert.Contains("TMPDIR", spilled.Error, StringComparison.Ordinal);
        Assert.Equal((1, ""), (full.ExitCode, full.Output));
        Assert.Contains("The folder for temporary files", full.Error, StringComparison.Ordinal);
        Assert.True((after.ExitCode, after.Output) == (0, "a\n1\n"), after.Error);
        Assert.Empty(Directory.GetFileSystemEntries(disk.Folder));
    }

    [Fact]
    public async Task Stops_on_a_signal_and_leaves_nothing()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        await archiver.RunAsync("archive");
        var folder = Directory.CreateTempSubdirectory("archiver-test-").FullName;
        await using var process = archiver.Start(
            new Dictionary<string, string?> { ["TMPDIR"] = folder },
            "query",
            "SELECT sum(hash(a.i, b.i)) FROM range(100000000) AS a (i), range(100000) AS b (i)",
            "--parquet",
            Path.Combine(folder, "never.parquet")
        );
        // The audit's row is written before anything is fetched, the folder of the result before that.
        await Eventually.TrueAsync(
            async () => await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.audit WHERE action = 'query'") == 1,
            Token
        );
        Assert.NotEmpty(Directory.GetFileSystemEntries(folder));

        process.SendSignal(ProcessSignal.Interrupt);
        var result = await process.WaitForExitAsync(Token);

        Assert.Equal(130, result.ExitCode);
        Assert.Contains("Stopped on request", result.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(folder));
        Directory.Delete(folder);
    }
}
