using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>
/// Without keys in the configuration: credentials of a role, as EKS (web identity) and a profile (assumed role) give them.
/// </summary>
public sealed class RoleTests(TestServers servers) : IAsyncLifetime
{
    private const string Arn = "arn:aws:iam::123456789012:role/archiver";
    private const string WebToken = "web-identity-token-of-the-pod";
    private readonly string _home = Directory.CreateTempSubdirectory("archiver-role-").FullName;
    private readonly TokenServers _aws = new(servers.S3);
    private Installation? _archiver;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private Installation Archiver => _archiver!;

    [Fact]
    public async Task Archives_with_the_credentials_that_a_web_identity_gets()
    {
        var result = await RunAsync(WebIdentity(), "archive");

        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Equal(3, await Archiver.LiveSessionsAsync());
        Assert.Contains("AssumeRoleWithWebIdentity", Assert.Single(_aws.Asked), StringComparison.Ordinal);
        Assert.InRange(_aws.Admitted, 14, int.MaxValue);
    }

    [Fact]
    public async Task Archives_with_the_credentials_of_a_profile_that_assumes_a_role()
    {
        var result = await RunAsync(Profile(), "archive");

        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Equal(3, await Archiver.LiveSessionsAsync());
        Assert.Contains("Action=AssumeRole&", Assert.Single(_aws.Asked), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_worker_runs_with_a_role_and_asks_again_before_its_credentials_expire()
    {
        // Within the five minutes before the end that the SDK asks again: so it does for each request.
        _aws.Lifetime = TimeSpan.FromMinutes(2);
        Archiver.With("Sources:main:Policies:idle:Cron", "* * * * * ?");
        await using var worker = await RunningWorker.StartAsync(Archiver, Token, [.. WebIdentity()]);

        await Eventually.TrueAsync(async () => await Archiver.LiveSessionsAsync() == 3, Token);

        Assert.InRange(_aws.Asked.Count, 2, int.MaxValue);
    }

    [Fact]
    public async Task The_worker_waits_for_a_role_that_is_refused_and_goes_on_when_it_is_not()
    {
        _aws.Refusal = "AccessDenied";
        await using var worker = await RunningWorker.StartAsync(Archiver, Token, [.. WebIdentity()]);

        await worker.LoggedAsync(6001, Token);
        var problem = worker.Events.First(e => e.TryGetProperty("Problem", out _)).GetProperty("Problem").GetString();
        Assert.Equal(
            $"AWS did not give the credentials of the role {Arn} (AccessDenied): its trust policy must allow this identity "
                + "(AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE, or the profile of AWS_PROFILE). Or set Archiver:Storage:AccessKey and "
                + "Archiver:Storage:SecretKey.",
            problem
        );
        Assert.False(await worker.IsReadyAsync(Token));

        _aws.Refusal = null;
        await Eventually.TrueAsync(() => worker.IsReadyAsync(Token), Token);
        Assert.Equal(0, (await worker.StopAsync(Token)).ExitCode);
        Assert.DoesNotContain(WebToken, worker.Log, StringComparison.Ordinal);
        Assert.DoesNotContain(TokenServers.SessionToken, worker.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_verb_says_that_the_role_was_refused_and_ends_with_1(bool web)
    {
        _aws.Refusal = "AccessDenied";

        var result = await RunAsync(web ? WebIdentity() : Profile(), "archive");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("AWS did not give the credentials of", result.Error, StringComparison.Ordinal);
        Assert.Contains("(AccessDenied)", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Unexpected", result.Error, StringComparison.Ordinal);
        Assert.Equal(15, await Archiver.LiveSessionsAsync());
    }

    [Fact]
    public async Task A_token_file_that_is_not_there_is_named()
    {
        File.Delete(TokenFile);

        var result = await RunAsync(WebIdentity(), "archive");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains(TokenFile, result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Unexpected", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_credentials_anywhere_are_told_of_with_the_keys_to_set()
    {
        var result = await RunAsync([("HOME", _home), ("AWS_EC2_METADATA_DISABLED", "true")], "archive");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains(
            "No AWS credentials were found: set Archiver:Storage:AccessKey and Archiver:Storage:SecretKey, or give the process a role.",
            result.Error,
            StringComparison.Ordinal
        );
    }

    public async ValueTask InitializeAsync()
    {
        _archiver = await Installation.CreateAsync(servers, Token, idle: 12, young: 3);
        _archiver.With("Storage:AccessKey", null).With("Storage:SecretKey", null).With("Storage:Endpoint", _aws.Door.ToString());
        await File.WriteAllTextAsync(TokenFile, WebToken, Token);
    }

    public async ValueTask DisposeAsync()
    {
        if (_archiver is not null)
            await _archiver.DisposeAsync();
        await _aws.DisposeAsync();
        Directory.Delete(_home, recursive: true);
    }

    private string TokenFile => Path.Combine(_home, "token");

    private (string Name, string Value)[] WebIdentity() =>
        [.. Everywhere(), ("AWS_ROLE_ARN", Arn), ("AWS_WEB_IDENTITY_TOKEN_FILE", TokenFile)];

    private (string Name, string Value)[] Profile()
    {
        var file = Path.Combine(_home, "config");
        File.WriteAllText(
            file,
            $"""
            [profile people]
            aws_access_key_id = somebody
            aws_secret_access_key = something
            [profile archiver]
            role_arn = {Arn}
            source_profile = people
            region = us-east-1
            """
        );
        return [.. Everywhere(), ("AWS_CONFIG_FILE", file), ("AWS_PROFILE", "archiver")];
    }

    private (string Name, string Value)[] Everywhere() =>
        [
            ("HOME", _home),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ENDPOINT_URL_STS", _aws.Sts.ToString()),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ];

    private async Task<ProcessResult> RunAsync((string Name, string Value)[] variables, params string[] arguments)
    {
        await using var process = Archiver.Start(variables.ToDictionary(v => v.Name, v => (string?)v.Value), arguments);
        return await process.WaitForExitAsync(Token);
    }
}
