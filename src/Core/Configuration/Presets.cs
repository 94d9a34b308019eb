namespace Archiver.Core.Configuration;

/// <summary>The presets that are built in. Each is read when it is first asked for: a command uses one.</summary>
internal static class Presets
{
    private const string Folder = "presets.";

    private static readonly Dictionary<string, Lazy<Preset>> All = typeof(Presets)
        .Assembly.GetManifestResourceNames()
        .Where(r => r.StartsWith(Folder, StringComparison.Ordinal))
        .ToDictionary(
            r => Path.GetFileNameWithoutExtension(r[Folder.Length..]),
            r => new Lazy<Preset>(() => Read(r)),
            StringComparer.OrdinalIgnoreCase
        );

    /// <summary>In alphabetical order.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Keys.Order(StringComparer.Ordinal)];

    /// <summary>The names as a message lists them.</summary>
    public static string List => string.Join(", ", Names);

    /// <summary>The preset of a name in any case, or null.</summary>
    public static Preset? Find(string name) => All.GetValueOrDefault(name)?.Value;

    /// <summary>The preset of a name that is known to be one.</summary>
    public static Preset Get(string name) => All[name].Value;

    private static Preset Read(string resource)
    {
        using var reader = new StreamReader(typeof(Presets).Assembly.GetManifestResourceStream(resource)!);
        return Preset.Read(Path.GetFileNameWithoutExtension(resource[Folder.Length..]), reader.ReadToEnd());
    }
}
