using System.Text.Json.Nodes;
using Archiver.Core.Configuration;
using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Microsoft.Extensions.Configuration;

namespace Archiver.Core.Tests.Configuration;

/// <summary>
/// A configuration that is valid, to be changed one value at a time: <c>Configured.With("Batch:Rows", "0").Problems()</c>.
/// </summary>
internal sealed class Configured
{
    public const string SourceKey = "Sources:main:";
    public const string PolicyKey = "Sources:main:Policies:idle:";

    private const string Valid = """
        { "Archiver": {
            "Sources": { "main": { "ConnectionString": "Host=db;Database=chat;Username=archiver", "Preset": "ended-at",
                                   "Policies": { "idle": { "Action": "Archive", "IdleFor": "90d" } } } },
            "Storage": { "Bucket": "archives" } } }
        """;

    private readonly Dictionary<string, string?> _changes = [];
    private string _json = Valid;

    public static Configured AsItIs() => new();

    /// <summary>The valid configuration with one value set or, with null, taken away.</summary>
    public static Configured With(string key, string? value) => new Configured().And(key, value);

    /// <summary>The valid configuration with another JSON under <c>Archiver</c>.</summary>
    public static Configured Json(string archiver) => new() { _json = $$"""{ "Archiver": {{archiver}} }""" };

    /// <summary>The source's own values, with the valid storage.</summary>
    public static Configured SourceJson(string source) =>
        Json($$"""{ "Sources": { "main": {{source}} }, "Storage": { "Bucket": "archives" } }""");

    public Configured And(string key, string? value)
    {
        _changes[$"Archiver:{key}"] = value;
        return this;
    }

    public ArchiverSettings Settings(Func<string, string?>? cronProblem = null) => ArchiverConfiguration.Read(Build(), cronProblem);

    /// <summary>The lines of the message after its first, without the leading <c>Archiver:</c>.</summary>
    public IReadOnlyList<string> Problems(Func<string, string?>? cronProblem = null) =>
        [.. Message(cronProblem).Split('\n').Skip(1).Select(l => l["Archiver:".Length..])];

    public string Message(Func<string, string?>? cronProblem = null)
    {
        var error = Assert.Throws<ArchiverException>(() => Settings(cronProblem));
        Assert.Equal(FailureKind.Configuration, error.Kind);
        return error.Message;
    }

    /// <summary>There is this problem and no other.</summary>
    public void Refused(string problem) => Assert.Equal([problem], Problems());

    private IConfigurationRoot Build()
    {
        using var json = new MemoryStream(
            System.Text.Encoding.UTF8.GetBytes(Without(_changes.Where(c => c.Value is null).Select(c => c.Key)))
        );
        return new ConfigurationBuilder().AddJsonStream(json).AddInMemoryCollection(_changes.Where(c => c.Value is not null)).Build();
    }

    /// <summary>A later provider cannot take a key away, so it must go from the JSON.</summary>
    private string Without(IEnumerable<string> keys)
    {
        var root = JsonNode.Parse(_json, documentOptions: new() { CommentHandling = System.Text.Json.JsonCommentHandling.Skip })!;
        foreach (var key in keys)
        {
            var parts = key.Split(':');
            var parent = parts[..^1].Aggregate(root, (node, part) => node[part]!);
            Assert.True(parent.AsObject().Remove(parts[^1]), $"{key} is not there to be taken away.");
        }
        return root.ToJsonString();
    }
}
