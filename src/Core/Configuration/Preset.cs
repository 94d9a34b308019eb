using System.Text.Json;
using Archiver.Core.Settings;
using Microsoft.Extensions.Configuration;

namespace Archiver.Core.Configuration;

/// <summary>A ready mapping of a known application, read from a file of <c>Configuration/Presets</c>.</summary>
/// <param name="Name">As the configuration names it.</param>
/// <param name="Json">The file.</param>
/// <param name="Application">What it is for.</param>
/// <param name="Version">Of the application.</param>
/// <param name="Source">Where its schema was read.</param>
/// <param name="Notes">What else to know.</param>
/// <param name="Map">The mapping, with what of it a database may lack.</param>
internal sealed record Preset(string Name, string Json, string Application, string Version, string Source, string Notes, SourceMap Map)
{
    private const string Tables = nameof(SourceOptions.Tables);

    /// <summary>Tables that look like a part of a session, and that the application goes on to use without it.</summary>
    public IReadOnlyList<TableName> Leaves { get; init; } = [];

    /// <summary>
    /// Conditions on the session (alias <c>s</c>) that a policy of this application wants besides an age: what is wanted for ever however
    /// old it is. <c>archiver init</c> writes those whose columns are there.
    /// </summary>
    public IReadOnlyList<string> Where { get; init; } = [];

    /// <summary>Reads a file. Its <c>Tables</c> go the way of the configuration's own, so that both take the same keys.</summary>
    /// <exception cref="Diagnostics.ArchiverException">It has an unknown key, or lacks one; kind Configuration.</exception>
    public static Preset Read(string name, string json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        var source = ConfigurationPath.Combine(ArchiverConfiguration.SectionName, nameof(ArchiverOptions.Sources), name);
        var values = Values($"{source}:{Tables}", root.GetProperty(Tables));
        var problems = new Problems();
        var options = ConfigurationTree.Bind(
            new ConfigurationBuilder().AddInMemoryCollection(values).Build(),
            ArchiverConfiguration.SectionName,
            problems,
            ""
        );
        var map = new TablesReader(new ValueReader(problems, $"{source}:{Tables}")).Read(options.Sources![name].Tables!, preset: null);
        problems.ThrowIfAny();
        map = map with { Optional = List(root, nameof(map.Optional)) };
        return new(name, json, Text("Application"), Text("Version"), Text("Source"), Text("Notes"), map)
        {
            Leaves = [.. List(root, nameof(Leaves)).Select(Table)],
            Where = List(root, nameof(Where)),
        };

        string Text(string key) => root.GetProperty(key).GetString()!;
    }

    private static TableName Table(string text) =>
        TableName.TryParse(text, out var table) ? table! : throw new FormatException($"'{text}' is no table.");

    private static IReadOnlyList<string> List(JsonElement root, string key) =>
        root.TryGetProperty(key, out var list) ? [.. list.EnumerateArray().Select(o => o.GetString()!)] : [];

    private static IEnumerable<KeyValuePair<string, string?>> Values(string path, JsonElement element) =>
        element.ValueKind switch
        {
            JsonValueKind.Object => element.EnumerateObject().SelectMany(p => Values($"{path}:{p.Name}", p.Value)),
            JsonValueKind.Array => element.EnumerateArray().SelectMany((item, i) => Values($"{path}:{i}", item)),
            JsonValueKind.Null => [new(path, null)],
            _ => [new(path, element.ToString())],
        };
}
