using System.Net;
using System.Text.Json;
using Archiver.Testing;
using Archiver.Worker.Tests.Http;

namespace Archiver.Worker.Tests;

/// <summary>Where the log goes: once, and never among the data; and what it never holds, wherever it goes.</summary>
public sealed class LogSinkTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("Serilog__WriteTo__0__Name")]
    [InlineData("Serilog__WriteTo__0")]
    public async Task A_configured_console_takes_the_place_of_the_built_in_one_and_writes_to_stderr(string key)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 1);
        await using var process = archiver.Start(new Dictionary<string, string?> { [key] = "Console" }, "archive", "--json");

        var result = await process.WaitForExitAsync(Token);

        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Single(JsonDocument.Parse(result.Output).RootElement.EnumerateArray());
        Assert.Single(result.Error.Split('\n'), l => l.Contains("main/idle started", StringComparison.Ordinal));
        Assert.DoesNotContain("\"@t\"", result.Error, StringComparison.Ordinal);
    }

    /// <summary>The server opens a scope for each request, with its path and its id.</summary>
    [Fact]
    public async Task A_line_that_is_written_during_a_request_holds_nothing_of_its_path()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        archiver.With("Http:ApiKey", HttpFixture.Key).With("Sources:main:Policies:idle:Cron", "0 0 2 1 1 ?");
        await using var worker = await RunningWorker.InvokeAsync(archiver, Token);

        Assert.Equal(HttpStatusCode.Unauthorized, await worker.GetAsync("/archives/secret-id?user=secret-user", Token));
        await worker.LoggedAsync(7000, Token);

        Assert.DoesNotContain("secret", worker.Log, StringComparison.Ordinal);
        var refusal = worker.Events.Single(e => e.TryGetProperty("@i", out var id) && id.GetInt32() == 7000);
        Assert.Equal(
            ["@i", "@l", "@m", "@t", "Address", "Count", "Reason", "SourceContext"],
            refusal.EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal)
        );
    }
}
