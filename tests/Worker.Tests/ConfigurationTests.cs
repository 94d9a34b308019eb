using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>A configuration that is wrong ends the worker with 2 before it asks any server anything.</summary>
public sealed class ConfigurationTests(TestServers servers)
{
    private const string IdleFor = "Sources:main:Policies:idle:IdleFor";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(IdleFor, null, "Archiver:Sources:main:Policies:idle:IdleFor: is required")]
    [InlineData(IdleFor, "0d", "IdleFor: must be above zero, but is '0d'")]
    [InlineData(IdleFor, "-1d", "but is '-1d'")]
    [InlineData(IdleFor, "90", "but is '90'")]
    [InlineData(IdleFor, "90x", "but is '90x'")]
    [InlineData(IdleFor, " ", "but is ' '")]
    [InlineData("Batch:Sesions", "5", "Archiver:Batch:Sesions: is not a known key")]
    [InlineData("Storage:SecretKey", null, "SecretKey")]
    [InlineData("Http:ApiKey", "abc", "Archiver:Http:ApiKey: must have at least 16 characters")]
    [InlineData(
        "Sources:main:ConnectionString",
        "Host=db;Minimum Pool Size=99;Maximum Pool Size=50",
        "Archiver:Sources:main:ConnectionString: must be a connection string"
    )]
    [InlineData(
        "Sources:main:Policies:idle:Cron",
        "0 0 25 * * ?",
        "Archiver:Sources:main:Policies:idle:Cron: must be a Quartz cron expression"
    )]
    [InlineData("Sources:main:Policies:idle:Cron", "0 0 2 30 2 ?", "idle:Cron: must have a time that comes: no year has such a date")]
    [InlineData("Schedule:Reconcile", "0 0 2 31 4 ?", "Schedule:Reconcile: must have a time that comes: no year has such a date")]
    public async Task Ends_with_2_and_asks_no_server(string key, string? value, string said)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0, ledger: false);

        var result = await archiver.With(key, value).RunAsync("run");

        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Contains(said, result.Error, StringComparison.OrdinalIgnoreCase);
        Assert.False(await archiver.Database.ScalarAsync<bool>("SELECT to_regnamespace('archiver') IS NOT NULL"));
    }

    [Fact]
    public async Task Says_everything_at_once()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0, ledger: false);
        archiver
            .With(IdleFor, "90")
            .With("Storage:SecretKey", null)
            .With("Batch:Row", "1")
            .With("Retry:MaxAttempts", "0")
            .With("Sources:second:ConnectionString", archiver.Database.ConnectionString)
            .With("Sources:second:Preset", "ended-at");

        var result = await archiver.RunAsync();

        Assert.Equal(2, result.ExitCode);
        foreach (var key in (string[])[IdleFor, "Storage:SecretKey", "Batch:Row", "Retry:MaxAttempts", "Prefix"])
            Assert.Contains(key, result.Error, StringComparison.Ordinal);
        Assert.False(await archiver.Database.ScalarAsync<bool>("SELECT to_regnamespace('archiver') IS NOT NULL"));
    }

    [Fact]
    public async Task Takes_a_file_the_environment_and_the_command_line_in_this_order()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 20, young: 0);
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(
                file,
                """{ "Archiver": { "Batch": { "Sessions": 3 }, "Sources": { "main": { "Policies": { "idle": { "MaxSessions": 4, "IdleFor": "1d" } } } } } }""",
                Token
            );

            var result = await archiver.RunAsync("archive", "--config", file, "--Archiver:Sources:main:Policies:idle:MaxSessions=7");

            // The environment's 90d wins over the file's 1d, and the command line's 7 over the file's 4; batches of 3 come from the file.
            Assert.True(result.ExitCode == 0, result.Error);
            Assert.Equal(13, await archiver.LiveSessionsAsync());
            Assert.Equal(3, result.Error.Split("\"@i\":1002").Length - 1);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task Says_that_it_is_the_environment_that_stands_in_the_sections_place()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);

        await using var invocation = archiver.Invoke(
            null,
            null,
            new Dictionary<string, string?> { ["ARCHIVER"] = "/opt/archiver" },
            "list"
        );
        var result = await invocation.WaitForEndAsync(Token);

        Assert.Equal(2, result.ExitCode);
        Assert.Contains("environment variable ARCHIVER", result.Error, StringComparison.Ordinal);
    }
}
