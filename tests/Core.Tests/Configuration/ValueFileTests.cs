using static Archiver.Core.Tests.Configuration.Configured;

namespace Archiver.Core.Tests.Configuration;

public sealed class ValueFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("archiver-values-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("0123456789-secret", "0123456789-secret")]
    [InlineData("0123456789-secret\n", "0123456789-secret")]
    [InlineData("0123456789-secret\r\n", "0123456789-secret")]
    [InlineData(" 0123456789-secret ", " 0123456789-secret ")]
    public void Takes_the_content_without_one_line_break(string content, string value) =>
        Assert.Equal(value, With("Http:ApiKey:File", Written(content)).Settings().Http.ApiKey);

    [Fact]
    public void Takes_any_value_from_a_file()
    {
        var settings = With(SourceKey + "ConnectionString", null)
            .And(SourceKey + "ConnectionString:File", Written("Host=db;Password=x\n"))
            .And("Batch:Rows:FILE", Written("7\n"))
            .And(SourceKey + "Keep:0:File", Written("title"))
            .Settings();

        Assert.Equal("Host=db;Password=x", settings.Sources[0].ConnectionString);
        Assert.Equal(7, settings.Batch.Rows);
        Assert.Equal(["title"], settings.Sources[0].Keep);
    }

    [Fact]
    public void Takes_the_file_where_the_value_itself_is_null()
    {
        var settings = Json(
                $$"""
                { "Sources": { "main": { "ConnectionString": "Host=db", "Preset": "ended-at" } },
                  "Storage": { "Bucket": "b", "AccessKey": "a", "SecretKey": null } }
                """
            )
            .And("Storage:SecretKey:File", Written("s"))
            .Settings();

        Assert.Equal("s", settings.Storage.SecretKey);
    }

    [Fact]
    public void Checks_the_content_like_a_value() =>
        With("Batch:Rows:File", Written("0\n\n")).Refused("Batch:Rows: must be a whole number from 1 to 2147483647, but is '0\\u000A'");

    [Fact]
    public void Refuses_a_file_that_does_not_exist_and_calls_nothing_else_missing() =>
        With(SourceKey + "ConnectionString", null)
            .And(SourceKey + "ConnectionString:File", "/run/secrets/none")
            .Refused("Sources:main:ConnectionString:File: file '/run/secrets/none' does not exist");

    [Fact]
    public void Refuses_value_and_file_together() =>
        With("Storage:Region", "x")
            .And("Storage:Region:File", Written("y"))
            .Refused("Storage:Region:File: must not be given together with Archiver:Storage:Region itself");

    [Fact]
    public void Refuses_a_folder() =>
        With("Storage:Region:File", _folder).Refused($"Storage:Region:File: file '{_folder}' cannot be read (UnauthorizedAccessException)");

    [Fact]
    public void Refuses_an_empty_path() =>
        With("Storage:Region:File", "").Refused("Storage:Region:File: must be the path of a file, but is empty");

    [Fact]
    public void Refuses_what_is_no_text()
    {
        var path = Path.Combine(_folder, "binary");
        File.WriteAllBytes(path, [0x61, 0xC3, 0x28]);

        With("Storage:Region:File", path).Refused($"Storage:Region:File: file '{path}' is not UTF-8 text");
    }

    [Fact]
    public void Refuses_an_empty_file_like_an_empty_value() =>
        With("Storage:Region:File", Written("")).Refused("Storage:Region: must not be empty");

    [Fact]
    public void Takes_file_as_the_name_of_a_source_and_a_policy()
    {
        var settings = Json(
                """
                { "Sources": { "File": { "ConnectionString": "Host=db", "Preset": "ended-at",
                  "Policies": { "File": { "Action": "Archive", "IdleFor": "90d" } } } },
                  "Storage": { "Provider": "File", "Path": "/archives" } }
                """
            )
            .Settings();

        Assert.Equal("file/file", settings.Sources[0].Policies[0].FullName);
    }

    private string Written(string content)
    {
        var path = Path.Combine(_folder, Path.GetRandomFileName());
        File.WriteAllText(path, content);
        return path;
    }
}
