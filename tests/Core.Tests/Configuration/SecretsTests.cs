using static Archiver.Core.Tests.Configuration.Configured;

namespace Archiver.Core.Tests.Configuration;

public sealed class SecretsTests
{
    public static TheoryData<string> Keys =>
        [
            "Sources:main:ConnectionString",
            "Sources:main:ReplicaConnectionString",
            "Sources:main:LockConnectionString",
            "Storage:AccessKey",
            "Storage:SecretKey",
            "Http:ApiKey",
            "Http:MetricsKey",
        ];

    [Theory]
    [MemberData(nameof(Keys))]
    public void Never_shows_a_secret_that_is_refused(string key)
    {
        var message = With(key, "hunter2\n=").Message();

        Assert.Contains($"Archiver:{key}: ", message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public void Never_shows_a_secret_that_was_put_where_its_path_belongs(string key)
    {
        var message = With(
                key == "Sources:main:ConnectionString" ? key : "Sources:main:Prefix",
                key == "Sources:main:ConnectionString" ? null : "ok"
            )
            .And($"{key}:File", "hunter2")
            .Message();

        Assert.Contains(
            $"Archiver:{key}:File: the file (path not shown, it may be the secret itself) does not exist",
            message,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("hunter2", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Marks_every_option_that_is_secret() =>
        Assert.Equal(Keys.Select(k => k.Data.Split(':')[^1]).Order(), SecretNames(Core.Configuration.KnownKey.Root).Order());

    private static IEnumerable<string> SecretNames(Core.Configuration.KnownKey key) =>
        key.Children.SelectMany(SecretNames).Concat(key.Secret ? [key.Name] : []);
}
