using System.Text.Json;
using System.Text.Json.Nodes;
using Archiver.Core.Configuration;
using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Core.Tests.Configuration;

namespace Archiver.Core.Tests.Documentation;

/// <summary>
/// The configuration's JSON schema, for editors: keys that the reader knows, types by its messages, texts of docs/configuration.md.
/// </summary>
internal static class ConfigurationSchema
{
    private const string File = "#/definitions/file",
        Time = "#/definitions/time";

    private static readonly JsonSerializerOptions Form = new()
    {
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <param name="descriptions">By path, such as <c>Archiver:Sources:{name}:Preset</c>.</param>
    public static string Of(IReadOnlyDictionary<string, string> descriptions) =>
        new JsonObject
        {
            ["$schema"] = "http://json-schema.org/draft-07/schema#",
            ["title"] = "Configuration of Archiver (appsettings.json)",
            ["description"] = "Made by docs/schema.sh from the keys that the archiver knows and docs/configuration.md.",
            ["type"] = "object",
            ["properties"] = new JsonObject { [KnownKey.Root.Name] = Node(KnownKey.Root, KnownKey.Root.Name, "", descriptions) },
            ["definitions"] = new JsonObject
            {
                ["time"] = new JsonObject
                {
                    ["description"] = "A time: the name of a column, or what else is to be known of it.",
                    ["anyOf"] = new JsonArray(
                        Type("string"),
                        new JsonObject
                        {
                            ["type"] = "object",
                            ["properties"] = new JsonObject
                            {
                                [nameof(TimeOptions.Column)] = Described("the column", Type("string")),
                                [nameof(TimeOptions.As)] = Described(
                                    "how its values are times, where it is no date or timestamp",
                                    new() { ["enum"] = new JsonArray([.. TimeColumn.Forms.Keys.Select(f => (JsonNode)f)]) }
                                ),
                                [nameof(TimeOptions.Or)] = Described("a column that counts where this one is not set", Type("string")),
                                [nameof(TimeOptions.At)] = Described(
                                    "of a flag (Ended, Deleted): the column that says since when it is true",
                                    Type("string")
                                ),
                            },
                            ["required"] = new JsonArray(nameof(TimeOptions.Column)),
                            ["additionalProperties"] = false,
                        }
                    ),
                },
                ["file"] = new JsonObject
                {
                    ["description"] = "The file that holds the value, as container platforms hand out secrets.",
                    ["type"] = "object",
                    ["properties"] = new JsonObject { [ConfigurationTree.FileKey] = new JsonObject { ["type"] = "string" } },
                    ["required"] = new JsonArray(ConfigurationTree.FileKey),
                    ["additionalProperties"] = false,
                },
            },
        }.ToJsonString(Form) + "\n";

    /// <param name="key">The key.</param>
    /// <param name="path">As docs/configuration.md has it.</param>
    /// <param name="sample">The path below Archiver with names in the place of <c>{name}</c>, to ask the reader.</param>
    /// <param name="descriptions">By path.</param>
    private static JsonObject Node(KnownKey key, string path, string sample, IReadOnlyDictionary<string, string> descriptions)
    {
        switch (key.Kind)
        {
            case KeyKind.Named:
                var name = key.Name switch
                {
                    "Sources" => "main",
                    "Policies" => "idle",
                    _ => "messages",
                };
                return new()
                {
                    ["type"] = "object",
                    ["additionalProperties"] = Section(key, $"{path}:{{name}}", $"{sample}:{name}", descriptions),
                };
            case KeyKind.Section:
                return Section(key, path, sample, descriptions);
            case KeyKind.List:
                return new()
                {
                    ["description"] = descriptions[path],
                    ["type"] = "array",
                    ["items"] = new JsonObject { ["type"] = "string" },
                };
            case KeyKind.OneOrMore:
                var list = new JsonObject { ["type"] = "array", ["items"] = Type("string") };
                return new()
                {
                    ["description"] = descriptions[path],
                    ["anyOf"] = new JsonArray(Type("string"), list, new JsonObject { ["$ref"] = File }, Type("null")),
                };
            case KeyKind.Values:
                return new()
                {
                    ["description"] = descriptions[path],
                    ["type"] = "object",
                    ["additionalProperties"] = Type("string"),
                };
            case KeyKind.Shorts:
                return new()
                {
                    ["description"] = descriptions[path],
                    ["type"] = "array",
                    ["items"] = new JsonObject { ["$ref"] = Time },
                };
            case KeyKind.Short:
                return new()
                {
                    ["description"] = descriptions[path],
                    ["anyOf"] = new JsonArray(new JsonObject { ["$ref"] = Time }, new JsonObject { ["$ref"] = File }, Type("null")),
                };
            default:
                var value = new JsonObject { ["description"] = descriptions[path] };
                value["anyOf"] = new JsonArray(Value(key, sample), new JsonObject { ["$ref"] = File }, Type("null"));
                return value;
        }
    }

    private static JsonObject Section(KnownKey key, string path, string sample, IReadOnlyDictionary<string, string> descriptions)
    {
        var properties = new JsonObject();
        foreach (var child in key.Children)
            properties[child.Name] = Node(
                child,
                $"{path}:{child.Name}",
                sample.Length == 0 ? child.Name : $"{sample}:{child.Name}",
                descriptions
            );
        return new()
        {
            ["type"] = "object",
            ["properties"] = properties,
            ["additionalProperties"] = false,
        };
    }

    /// <summary>What the reader takes, by what it says of a value that nothing takes.</summary>
    private static JsonObject Value(KnownKey key, string sample)
    {
        if (key.Secret)
            return Type("string");
        var rule = Rule(sample);
        return rule switch
        {
            "true or false" => Type("boolean"),
            Duration.Form => Pattern("^[0-9]+(ms|s|m|h|d|y)$"),
            BatchPause.Form => Pattern("^([0-9]+(ms|s|m|h|d|y)|[0-9]*[.]?[0-9]+x)$"),
            ByteSize.Form => Pattern("^[0-9]+(B|kB|MB|GB|KiB|MiB|GiB)$"),
            SampleSize.Form => new() { ["type"] = new JsonArray("integer", "string"), ["pattern"] = "^([0-9]+([.][0-9]+)?%|[1-9][0-9]*)$" },
            _ when rule.StartsWith("one of ", StringComparison.Ordinal) => new()
            {
                ["enum"] = new JsonArray([.. rule["one of ".Length..].Split(", ").Select(c => (JsonNode)c)]),
            },
            _ when rule.StartsWith("a whole number", StringComparison.Ordinal) => Type("integer"),
            _ when rule.StartsWith("a number", StringComparison.Ordinal) => Type("number"),
            _ => Type("string"),
        };
    }

    private static string Rule(string sample)
    {
        try
        {
            Configured.With(sample, "?").Settings();
            return "";
        }
        catch (ArchiverException refused)
        {
            var says = $"Archiver:{sample}: must be ";
            var line = refused.Message.Split('\n').FirstOrDefault(l => l.StartsWith(says, StringComparison.Ordinal));
            return line is null ? "" : line[says.Length..].Split(", but is ")[0];
        }
    }

    private static JsonObject Described(string description, JsonObject type)
    {
        type["description"] = description;
        return type;
    }

    private static JsonObject Type(string type) => new() { ["type"] = type };

    private static JsonObject Pattern(string pattern) => new() { ["type"] = "string", ["pattern"] = pattern };
}
