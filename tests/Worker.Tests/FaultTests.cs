using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>
/// What a person sees when something outside is wrong: one message that names the setting, the right exit code, and nothing changed.
/// </summary>
public sealed class FaultTests(TestServers servers)
{
    private const string Connection = "Archiver:Sources:main:ConnectionString";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("archive")]
    [InlineData("plan")]
    [InlineData("list")]
    [InlineData("show", "some-id")]
    [InlineData("query", "SELECT 1")]
    [InlineData("search", "text")]
    [InlineData("migrate")]
    public async Task Database_server_down(params string[] verb)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token);
        archiver.With("Sources:main:ConnectionString", "Host=127.0.0.1;Port=1;Database=chat;Username=archiver;Password=hush");

        await FailsAsync(archiver, 1, ["127.0.0.1:1", Connection], verb);
    }

    [Fact]
    public async Task Database_that_does_not_exist()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token);
        archiver.With(
            "Sources:main:ConnectionString",
            new Npgsql.NpgsqlConnectionStringBuilder(archiver.Database.ConnectionString) { Database = "nowhere" }.ConnectionString
        );

        await FailsAsync(archiver, 1, ["'nowhere'", Connection], "archive");
    }

    [Fact]
    public async Task Table_that_does_not_exist()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token);
        archiver.With("Sources:main:Tables:Children:messages:Table", "public.no_such_table");

        await FailsAsync(archiver, 3, ["no_such_table"], "archive");
    }

    [Fact]
    public async Task Role_that_may_not_read_the_sessions()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token);
        Assert.Equal(0, (await archiver.RunAsync("migrate")).ExitCode);
        await using var role = await TestRole.CreateAsync(
            archiver.Database,
            "GRANT USAGE ON SCHEMA archiver TO {0}; GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA archiver TO {0}"
        );
        archiver.With("Sources:main:ConnectionString", role.ConnectionString);

        var result = await FailsAsync(archiver, null, [role.Name], "archive");
        Assert.InRange(result.ExitCode, 1, 3);
    }

    [Fact]
    public async Task Bucket_that_does_not_exist()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token);
        archiver.With("Storage:Bucket", "no-such-bucket-here");

        await FailsAsync(archiver, 1, ["no-such-bucket-here", "Archiver:Storage:Bucket"], "archive");
    }

    [Fact]
    public async Task Wrong_storage_keys()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token);
        archiver.With("Storage:SecretKey", "certainly-wrong");

        await FailsAsync(archiver, 1, ["Archiver:Storage:AccessKey", "SecretKey"], "archive");
    }

    [Fact]
    public async Task Storage_server_down()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token);
        archiver.With("Storage:Endpoint", "http://127.0.0.1:1");

        await FailsAsync(archiver, 1, ["127.0.0.1:1", "Archiver:Storage:Endpoint"], "archive");
    }

    private static async Task<ProcessResult> FailsAsync(Installation archiver, int? exitCode, string[] said, params string[] verb)
    {
        var before = await archiver.RowsAsync();

        var result = await archiver.RunAsync(verb);

        Assert.True(exitCode is null || exitCode == result.ExitCode, $"exit code {result.ExitCode}: {result.Error}");
        Assert.All(said, text => Assert.Contains(text, result.Error, StringComparison.Ordinal));
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", result.Error + result.Output, StringComparison.Ordinal);
        Assert.Equal(before, await archiver.RowsAsync());
        Assert.DoesNotContain(await archiver.Bucket.ListKeysAsync(), k => k.EndsWith(".json.gz", StringComparison.Ordinal));
        return result;
    }
}
