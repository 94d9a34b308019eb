using System.Text.Json;
using Archiver.Testing;

namespace Archiver.Core.Tests.Documentation;

/// <summary>docs/appsettings.schema.json says what the program takes.</summary>
public sealed class ConfigurationSchemaTests
{
    /// <summary>Set by docs/schema.sh: write the file anew.</summary>
    private const string Write = "ARCHIVER_WRITE_SCHEMA";

    private static readonly string Path = System.IO.Path.Combine(Repository.Root, "docs", "appsettings.schema.json");

    [Fact]
    public void The_schema_for_editors_is_that_of_the_keys_of_today()
    {
        var schema = ConfigurationSchema.Of(DocumentedOptions.All().ToDictionary(o => o.Path, Described, StringComparer.Ordinal));
        if (Environment.GetEnvironmentVariable(Write) is not null)
            File.WriteAllText(Path, schema);

        Assert.True(File.ReadAllText(Path) == schema, "docs/appsettings.schema.json is not of today's keys: run docs/schema.sh.");
    }

    [Fact]
    public void The_schema_knows_the_kinds_of_values()
    {
        var archiver = JsonDocument
            .Parse(File.ReadAllText(Path))
            .RootElement.GetProperty("properties")
            .GetProperty("Archiver")
            .GetProperty("properties");

        Assert.Equal("""{"enum":["S3","File"]}""", Kind(archiver.GetProperty("Storage").GetProperty("properties").GetProperty("Provider")));
        Assert.Equal("""{"type":"integer"}""", Kind(archiver.GetProperty("Batch").GetProperty("properties").GetProperty("Rows")));
        Assert.Equal(
            """{"type":"string","pattern":"^[0-9]+(B|kB|MB|GB|KiB|MiB|GiB)$"}""",
            Kind(archiver.GetProperty("Batch").GetProperty("properties").GetProperty("Bytes"))
        );
        Assert.Equal("""{"type":"boolean"}""", Kind(archiver.GetProperty("AutoMigrate")));
        var policy = archiver
            .GetProperty("Sources")
            .GetProperty("additionalProperties")
            .GetProperty("properties")
            .GetProperty("Policies")
            .GetProperty("additionalProperties")
            .GetProperty("properties");
        Assert.Equal("""{"type":"string","pattern":"^[0-9]+(ms|s|m|h|d|y)$"}""", Kind(policy.GetProperty("IdleFor")));
        Assert.Equal("""{"enum":["Archive","Purge","Expire"]}""", Kind(policy.GetProperty("Action")));
    }

    private static string Described(DocumentedOptions option) =>
        option.Default switch
        {
            "none" => option.Meaning,
            var said when said.StartsWith("required", StringComparison.Ordinal) => $"{option.Meaning} ({said})",
            var said => $"{option.Meaning} (default: {said})",
        };

    private static string Kind(JsonElement key) =>
        JsonSerializer.Serialize(key.GetProperty("anyOf")[0]).Replace("\\u002B", "+", StringComparison.Ordinal);
}
