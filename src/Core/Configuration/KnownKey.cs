using System.Reflection;

namespace Archiver.Core.Configuration;

/// <summary>What stands under a key.</summary>
internal enum KeyKind
{
    Value,
    List,

    /// <summary>A list, for which a single value is short.</summary>
    OneOrMore,

    Section,

    /// <summary>A section of values whose keys are names that the user chooses, such as columns.</summary>
    Values,

    /// <summary>A section, for which the value of its first key may stand alone.</summary>
    Short,

    /// <summary>A list of those.</summary>
    Shorts,

    /// <summary>A section whose keys are names that the user chooses, such as sources.</summary>
    Named,
}

/// <summary>
/// One key that configuration may hold. The tree is read from the options classes, so that binding, the search for unknown keys and
/// the list that documentation is checked against cannot disagree.
/// </summary>
internal sealed record KnownKey(string Name, KeyKind Kind, bool Secret, IReadOnlyList<KnownKey> Children)
{
    /// <summary>A null is stated, as the empty text is: it takes away what a preset maps.</summary>
    public bool Role { get; init; }

    /// <summary>The key <c>Archiver</c> with everything below it.</summary>
    public static KnownKey Root { get; } = new(ArchiverConfiguration.SectionName, KeyKind.Section, false, Below(typeof(ArchiverOptions)));

    /// <summary>The key below this one, in any case.</summary>
    public KnownKey? Find(string name) => Children.FirstOrDefault(c => c.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Paths of all values and lists from here on; a name that the user chooses shows as <c>{name}</c>.</summary>
    public IEnumerable<string> Paths() =>
        Kind switch
        {
            KeyKind.Value or KeyKind.List or KeyKind.OneOrMore or KeyKind.Short or KeyKind.Shorts or KeyKind.Values => [Name],
            KeyKind.Named => Children.SelectMany(c => c.Paths()).Select(p => $"{Name}:{{name}}:{p}"),
            _ => Children.SelectMany(c => c.Paths()).Select(p => $"{Name}:{p}"),
        };

    private static KnownKey[] Below(Type options) => [.. options.GetProperties(BindingFlags.Public | BindingFlags.Instance).Select(Of)];

    private static KnownKey Of(PropertyInfo property)
    {
        var type = property.PropertyType;
        var secret = property.IsDefined(typeof(SecretAttribute));
        var role = property.IsDefined(typeof(RoleAttribute));
        if (type == typeof(string))
            return new(property.Name, KeyKind.Value, secret, []) { Role = role };
        if (type == typeof(string[]))
            return new(property.Name, property.IsDefined(typeof(OneOrMoreAttribute)) ? KeyKind.OneOrMore : KeyKind.List, secret, [])
            {
                Role = role,
            };
        if (type == typeof(Dictionary<string, string>))
            return new(property.Name, KeyKind.Values, secret, []);
        if (type == typeof(TimeOptions) || type == typeof(TimeOptions[]))
            return new(property.Name, type.IsArray ? KeyKind.Shorts : KeyKind.Short, secret, Below(typeof(TimeOptions))) { Role = role };
        return type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Dictionary<,>)
            ? new(property.Name, KeyKind.Named, secret, Below(type.GenericTypeArguments[1]))
            : new(property.Name, KeyKind.Section, secret, Below(type));
    }
}
