using Archiver.Testing;
using Archiver.Worker.Commands;
using Archiver.Worker.Tests.Http;

namespace Archiver.Worker.Tests;

/// <summary><c>archiver health</c> beside a worker, as a container's health check calls it.</summary>
public sealed class HealthVerbTests(HttpFixture fixture, TestServers servers) : IClassFixture<HttpFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Says_that_a_worker_is_ready_with_exit_code_0()
    {
        var ready = await fixture.Archiver.RunAsync("health", "--url", fixture.Worker.Address.ToString());
        var live = await fixture.Archiver.RunAsync("health", "--live", "--url", fixture.Worker.Address.ToString());

        Assert.Equal((0, "ready\n", ""), (ready.ExitCode, ready.Output, ready.Error));
        Assert.Equal((0, "live\n", ""), (live.ExitCode, live.Output, live.Error));
    }

    [Fact]
    public async Task Asks_where_the_configuration_lets_the_worker_listen()
    {
        var environment = new Dictionary<string, string?> { ["Archiver__Http__Urls"] = $"http://*:{fixture.Worker.Address.Port}" };
        await using var health = fixture.Archiver.Invoke(null, null, environment, "health");

        Assert.Equal((0, "ready\n"), await health.WaitForEndAsync(Token) is { } result ? (result.ExitCode, result.Output) : default);
    }

    [Fact]
    public async Task Says_why_a_worker_is_not_ready_with_exit_code_1_and_that_it_lives()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        archiver.With("Storage:Bucket", "no-such-bucket");
        await using var worker = await RunningWorker.InvokeAsync(archiver, Token);

        var ready = await archiver.RunAsync("health", "--url", worker.Address.ToString());
        var live = await archiver.RunAsync("health", "--live", "--url", worker.Address.ToString());

        Assert.Equal((1, ""), (ready.ExitCode, ready.Output));
        Assert.Contains($"the worker at {worker.Address.Authority} is not ready: 503", ready.Error, StringComparison.Ordinal);
        Assert.Equal(0, live.ExitCode);
    }

    [Fact]
    public async Task Says_that_nobody_answers_with_exit_code_1()
    {
        Uri address;
        await using (var free = new LoopbackListener())
            address = free.Endpoint;

        var result = await fixture.Archiver.RunAsync("health", "--url", address.ToString());

        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith($"archiver: no worker answers at {address.Authority}: ", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--url must be an http URL", "--url", "https://127.0.0.1:8080")]
    [InlineData("give it with --url")]
    public async Task Cannot_ask_without_knowing_where(string said, params string[] options)
    {
        var result = await fixture.Archiver.RunAsync(["health", .. options]);

        Assert.Equal(2, result.ExitCode);
        Assert.Contains(said, result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://0.0.0.0:8080", "http://127.0.0.1:8080/")]
    [InlineData("http://*:80;http://10.0.0.1:81", "http://127.0.0.1/")]
    [InlineData("http://+:8080", "http://127.0.0.1:8080/")]
    [InlineData("http://[::]:8080", "http://[::1]:8080/")]
    [InlineData("http://localhost:5000", "http://localhost:5000/")]
    public void Reaches_every_address_through_this_machine(string urls, string expected) =>
        Assert.Equal(expected, HealthVerb.Address(urls).ToString());

    [Fact]
    public async Task The_version_is_short_enough_to_read_out()
    {
        await using var version = ArchiverProcess.Start(["--version"], new Dictionary<string, string?>());

        var result = await version.WaitForExitAsync(Token);

        Assert.Equal(0, result.ExitCode);
        Assert.Matches(@"^\d+\.\d+\.\d+(-[a-z]+(\.\d+)?)?\n$", result.Output);
    }
}
