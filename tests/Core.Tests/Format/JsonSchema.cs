using System.Text.Json;
using System.Text.RegularExpressions;

namespace Archiver.Core.Tests.Format;

/// <summary>As much of JSON Schema as the schema of the format uses.</summary>
internal static class JsonSchema
{
    /// <summary>The keywords that the schema uses, and no others: an unknown one would be a rule that nobody checks.</summary>
    internal static IEnumerable<string> Violations(JsonElement value, JsonElement schema, JsonElement root, string path)
    {
        foreach (var keyword in schema.EnumerateObject())
        {
            switch (keyword.Name)
            {
                case "$schema" or "$id" or "$defs" or "title" or "description" or "format":
                    break;
                case "$ref":
                    foreach (
                        var violation in Violations(
                            value,
                            root.GetProperty("$defs").GetProperty(keyword.Value.GetString()!["#/$defs/".Length..]),
                            root,
                            path
                        )
                    )
                        yield return violation;
                    break;
                case "enum":
                    if (keyword.Value.EnumerateArray().All(v => v.GetString() != value.GetString()))
                        yield return $"{path} enum";
                    break;
                case "type":
                    if (!IsOf(keyword.Value.GetString()!, value))
                    {
                        yield return $"{path} type";
                        yield break;
                    }
                    break;
                case "pattern":
                    if (!Regex.IsMatch(value.GetString()!, keyword.Value.GetString()!))
                        yield return $"{path} pattern";
                    break;
                case "minimum":
                    if (value.GetInt32() < keyword.Value.GetInt32())
                        yield return $"{path} minimum";
                    break;
                case "minProperties":
                    if (value.EnumerateObject().Count() < keyword.Value.GetInt32())
                        yield return $"{path} minProperties";
                    break;
                case "required":
                    foreach (
                        var name in keyword.Value.EnumerateArray().Select(n => n.GetString()!).Where(n => !value.TryGetProperty(n, out _))
                    )
                        yield return $"{path} required {name}";
                    break;
                case "items":
                    foreach (
                        var violation in value
                            .EnumerateArray()
                            .SelectMany((item, i) => Violations(item, keyword.Value, root, $"{path}[{i}]"))
                    )
                        yield return violation;
                    break;
                case "properties":
                    foreach (
                        var violation in keyword
                            .Value.EnumerateObject()
                            .Where(p => value.TryGetProperty(p.Name, out _))
                            .SelectMany(p => Violations(value.GetProperty(p.Name), p.Value, root, $"{path}.{p.Name}"))
                    )
                        yield return violation;
                    break;
                case "additionalProperties":
                    foreach (var violation in AdditionalViolations(value, schema, keyword.Value, root, path))
                        yield return violation;
                    break;
                default:
                    throw new InvalidOperationException($"The schema uses '{keyword.Name}', which this test does not check.");
            }
        }
    }

    internal static IEnumerable<string> AdditionalViolations(
        JsonElement value,
        JsonElement schema,
        JsonElement rule,
        JsonElement root,
        string path
    )
    {
        foreach (
            var member in value
                .EnumerateObject()
                .Where(m => !schema.TryGetProperty("properties", out var known) || !known.TryGetProperty(m.Name, out _))
        )
        {
            if (rule.ValueKind == JsonValueKind.False)
                yield return $"{path}.{member.Name}";
            else if (rule.ValueKind == JsonValueKind.Object)
            {
                foreach (var violation in Violations(member.Value, rule, root, $"{path}.{member.Name}"))
                    yield return violation;
            }
        }
    }

    internal static bool IsOf(string type, JsonElement value) =>
        type switch
        {
            "object" => value.ValueKind == JsonValueKind.Object,
            "array" => value.ValueKind == JsonValueKind.Array,
            "string" => value.ValueKind == JsonValueKind.String,
            "integer" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
            _ => throw new InvalidOperationException($"The schema uses type '{type}', which this test does not check."),
        };
}
