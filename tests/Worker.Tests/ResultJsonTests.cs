using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Archiver.Worker.Http;
using Archiver.Worker.Output;

namespace Archiver.Worker.Tests;

/// <summary>JSON without reflection: what the source generator was not told of would be written as a number, or not at all.</summary>
public sealed class ResultJsonTests
{
    public static TheoryData<string> Enumerations { get; } =
    [
        .. new[] { typeof(ResultTypes), typeof(BodyTypes) }
            .SelectMany(c => c.GetProperties(BindingFlags.Public | BindingFlags.Instance))
            .Select(p => p.PropertyType)
            .Where(t => t.IsGenericType && t.GetGenericTypeDefinition() == typeof(JsonTypeInfo<>) && t.GenericTypeArguments[0].IsEnum)
            .Select(t => t.GenericTypeArguments[0].AssemblyQualifiedName!)
            .Distinct(),
    ];

    [Theory]
    [MemberData(nameof(Enumerations))]
    public void Writes_every_value_of_an_enumeration_as_a_word(string type)
    {
        var enumeration = Type.GetType(type, throwOnError: true)!;
        JsonSerializerOptions form = new(ResultJson.Form)
        {
            TypeInfoResolver = JsonTypeInfoResolver.Combine(ResultTypes.Default, BodyTypes.Default),
        };
        foreach (var value in Enum.GetValues(enumeration))
            Assert.Equal(
                $"\"{JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString()!)}\"",
                JsonSerializer.Serialize(value, form.GetTypeInfo(enumeration))
            );
    }
}
