using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Archiver.Testing;
using Archiver.Worker.Commands;
using Archiver.Worker.Tests.Http;

namespace Archiver.Worker.Tests;

/// <summary>
/// Several invocations of the application in one process: nothing of one is seen by another, and nothing of it stays behind.
/// </summary>
public sealed class InvocationTests(TestServers servers)
{
    private static readonly Dictionary<string, string?> NoMore = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Two_at_once_with_different_configuration_do_not_see_each_other()
    {
        await using var first = await Installation.CreateAsync(servers, Token, idle: 3, young: 0);
        await using var second = await Installation.CreateAsync(servers, Token, idle: 9, young: 0);
        await first.RunAsync("archive");
        var archived = JsonDocument
            .Parse((await first.RunAsync("list", "--json")).Output)
            .RootElement[0]
            .GetProperty("session_id")
            .GetString()!;
        var (one, two) = (
            Folder("""{ "Serilog": { "MinimumLevel": "Error" } }"""),
            Folder("""{ "Archiver": { "Sources": { "main": { "Policies": { "idle": { "MaxSessions": 4 } } } } } }""")
        );
        var ids = new Pipe();
        try
        {
            // The first has read its configuration and waits for its input all the time that the second takes.
            await using var restore = first.Invoke(ids.Reader.AsStream(), one, NoMore, "restore", "-");
            await using var archive = second.Invoke(
                null,
                two,
                new Dictionary<string, string?> { ["DOTNET_ENVIRONMENT"] = "Other" },
                "archive",
                "--json"
            );
            var taken = await archive.WaitForEndAsync(Token);
            Assert.False(restore.HasEnded);
            await ids.Writer.WriteAsync(Encoding.UTF8.GetBytes(archived + "\n"), Token);
            await ids.Writer.CompleteAsync();
            var put = await restore.WaitForEndAsync(Token);

            Assert.True(taken.ExitCode == 0, taken.Error);
            Assert.True(put.ExitCode == 0, put.Error);
            Assert.Equal((1, 5), (await first.LiveSessionsAsync(), await second.LiveSessionsAsync()));
            Assert.Equal("", put.Error);
            Assert.Contains("\"@i\":1002", taken.Error, StringComparison.Ordinal);
            Assert.DoesNotContain(archived, taken.Output + taken.Error, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(one, recursive: true);
            Directory.Delete(two, recursive: true);
        }
    }

    [Fact]
    public async Task Paths_start_in_the_working_folder_of_the_invocation()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 0);
        var folder = Folder("{ }");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder, "sessions"), "2", Token);
            archiver.With("Sources:main:Policies:idle:MaxSessions:File", "sessions");

            await using var invocation = archiver.Invoke(null, folder, NoMore, "archive", "--config", "appsettings.json");
            var result = await invocation.WaitForEndAsync(Token);

            Assert.True(result.ExitCode == 0, result.Error);
            Assert.Equal(1, await archiver.LiveSessionsAsync());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // An option remembers the commands that it was added to, and went through them all at each of the next: a third of the suite's time.
    [Fact]
    public async Task The_next_does_not_pay_for_those_before_it()
    {
        Assert.Equal(0, (await RunAsync()).ExitCode);
        var commands = VerbOptions.Json.Parents.Count();
        Assert.NotEqual(0, commands);

        Assert.Equal(0, (await RunAsync()).ExitCode);

        Assert.Equal(commands, VerbOptions.Json.Parents.Count());

        static async Task<ProcessResult> RunAsync()
        {
            await using var invocation = Invocation.Start(["presets", "--json"], ArchiverProcess.Variables(null));
            return await invocation.WaitForEndAsync(Token);
        }
    }

    [Fact]
    public async Task A_stopped_worker_leaves_no_connection_and_no_listener_behind()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 300, young: 0);
        archiver.With("Batch:Sessions", "5").With("Batch:Pause", "1s").With("Sources:main:Policies:idle:Cron", "* * * * * ?");
        await using var worker = archiver.Invoke(null, null, NoMore, "run");
        await Eventually.TrueAsync(() => worker.HasEnded || worker.Error.Contains("\"@i\":1002", StringComparison.Ordinal), Token);
        var address = new Uri(
            worker
                .Error.Split('\n')
                .Select(l => JsonDocument.Parse(l).RootElement)
                .First(e => e.TryGetProperty("Urls", out _))
                .GetProperty("Urls")
                .GetString()!
        );

        var result = await worker.StopAsync();

        Assert.Equal((0, ""), (result.ExitCode, result.Output));
        using var http = new HttpClient();
        await Assert.ThrowsAsync<HttpRequestException>(() => http.GetAsync(address, Token));
        // A server process sees a moment later that its client has gone.
        await Eventually.TrueAsync(
            async () =>
                await archiver.Database.ScalarAsync<long>(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'archiver%'"
                ) == 0,
            Token
        );
        Assert.Equal("cancelled", await archiver.Database.ScalarAsync<string>("SELECT state FROM archiver.runs"));
    }

    [Fact]
    public async Task Two_workers_at_once_keep_their_own_schedules_and_metrics()
    {
        const string Idle = "Sources:main:Policies:idle:Cron",
            EverySecond = "* * * * * ?";
        await using var quiet = await Installation.CreateAsync(servers, Token, idle: 3, young: 1);
        await using var busy = await Installation.CreateAsync(servers, Token, idle: 5, young: 2);
        quiet.With("Http:ApiKey", HttpFixture.Key).With(Idle, "0 0 2 1 1 ?");
        busy.With("Http:ApiKey", HttpFixture.Key)
            .With(Idle, EverySecond)
            .With("Sources:main:Policies:other:Action", "Archive")
            .With("Sources:main:Policies:other:IdleFor", "300d")
            .With("Sources:main:Policies:other:Cron", EverySecond);
        await using var one = await RunningWorker.InvokeAsync(quiet, Token);
        await using var two = await RunningWorker.InvokeAsync(busy, Token);
        await Eventually.TrueAsync(async () => await busy.LiveSessionsAsync() == 2, Token);
        await Eventually.TrueAsync(() => one.IsReadyAsync(Token), Token);

        Assert.Contains("archiver_batch_sessions_total{", await MetricsAsync(two), StringComparison.Ordinal);
        var ofOne = await MetricsAsync(one);
        Assert.Contains("policy=\"idle\"", ofOne, StringComparison.Ordinal);
        Assert.DoesNotContain("other", ofOne, StringComparison.Ordinal);
        Assert.DoesNotContain("archiver_batch_", ofOne, StringComparison.Ordinal);
        Assert.Equal(0, (await two.StopAsync(Token)).ExitCode);
        Assert.True(await one.IsReadyAsync(Token));
        Assert.Equal(4, await quiet.LiveSessionsAsync());
        Assert.False(one.HasLogged(1002));
        Assert.Equal(0, (await one.StopAsync(Token)).ExitCode);
    }

    private static async Task<string> MetricsAsync(RunningWorker worker)
    {
        using var response = await worker.SendAsync(HttpFixture.Bearer(HttpMethod.Get, "/metrics"), Token);
        return await response.Content.ReadAsStringAsync(Token);
    }

    private static string Folder(string settings)
    {
        var folder = Directory.CreateTempSubdirectory("archiver-folder-").FullName;
        File.WriteAllText(Path.Combine(folder, "appsettings.json"), settings);
        return folder;
    }
}
