using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Archiver.Core.Configuration;

/// <summary>
/// The step before binding: walks what is configured beside what may be, reports keys that nobody would read, and puts the content
/// of <c>…:File</c> keys in place of their values. A misspelled limit must not silently become its default.
/// </summary>
internal sealed class ConfigurationTree
{
    /// <summary>Last part of a key that names a file: <c>Storage__SecretKey__File</c>. A source may still be called File.</summary>
    public const string FileKey = "File";

    private readonly Dictionary<string, string?> _values = new(StringComparer.OrdinalIgnoreCase);
    private readonly Problems _problems;
    private readonly ConfiguredNames _names;
    private readonly string _folder;

    private ConfigurationTree(Problems problems, ConfiguredNames names, string folder) =>
        (_problems, _names, _folder) = (problems, names, folder);

    /// <summary>
    /// The section as raw options: every value that has a known key, as text. Relative paths of files start in the folder.
    /// </summary>
    public static ArchiverOptions Bind(IConfiguration configuration, string root, Problems problems, string folder)
    {
        var section = configuration.GetSection(root);
        var tree = new ConfigurationTree(problems, new(configuration), folder);
        tree.Visit(section, KnownKey.Root, section.Path);
        var resolved = new ConfigurationBuilder().AddInMemoryCollection(tree._values).Build();
        return resolved.GetSection(section.Path).Get<ArchiverOptions>() ?? new();
    }

    /// <param name="path">The section's own path, with names as <see cref="ConfiguredNames"/> has them.</param>
    private void Visit(IConfigurationSection section, KnownKey key, string path)
    {
        switch (key.Kind)
        {
            case KeyKind.Value:
                VisitValue(section, key, path);
                break;
            case KeyKind.List:
            case KeyKind.Shorts:
                VisitList(section, key, path);
                break;
            case KeyKind.OneOrMore:
                VisitOneOrMore(section, key, path);
                break;
            case KeyKind.Short:
                VisitShort(section, key, path);
                break;
            case KeyKind.Values:
                RefuseValue(section);
                foreach (var value in section.GetChildren())
                    VisitValue(value, key, $"{path}:{value.Key}");
                break;
            case KeyKind.Named:
                RefuseValue(section);
                foreach (var named in section.GetChildren())
                    VisitNamed(named, key, $"{path}:{_names.Of(named, key.Name)}");
                break;
            default:
                VisitSection(section, key, path);
                break;
        }
    }

    /// <summary>The binder forgets <c>"idle": {}</c>, and a forgotten policy looks like one with nothing to do; a null keeps it.</summary>
    private void VisitNamed(IConfigurationSection section, KnownKey key, string path)
    {
        _values[$"{path}:{key.Children[0].Name}"] = null;
        VisitSection(section, key, path);
    }

    private void VisitSection(IConfigurationSection section, KnownKey key, string path)
    {
        RefuseValue(section);
        foreach (var child in section.GetChildren())
        {
            if (key.Find(child.Key) is { } known)
                Visit(child, known, $"{path}:{known.Name}");
            else
                _problems.Add(child.Path, $"is not a known key{DidYouMean.Hint(child.Key, key.Children.Select(c => c.Name))}");
        }
    }

    private void VisitList(IConfigurationSection section, KnownKey key, string path)
    {
        // An empty JSON list arrives as an empty text.
        if (section.Value is "")
            _values[path] = "";
        else if (section.Value is not null)
            _problems.Add(section.Path, $"must be a list: [\"a\", \"b\"], or {section.Key}__0 in the environment, but is a single value");
        VisitItems(section, section.GetChildren(), key, path);
    }

    private void VisitItems(IConfigurationSection section, IEnumerable<IConfigurationSection> items, KnownKey key, string path)
    {
        foreach (var item in items)
        {
            if (int.TryParse(item.Key, NumberStyles.None, CultureInfo.InvariantCulture, out _))
                Visit(item, key with { Kind = key.Kind == KeyKind.Shorts ? KeyKind.Short : KeyKind.Value }, $"{path}:{item.Key}");
            else
                _problems.Add(item.Path, "is not a known key; the keys of a list are 0, 1, 2, ...");
        }
    }

    /// <summary>Whatever is written, the binder finds a list; one without entries where a role is taken away.</summary>
    private void VisitOneOrMore(IConfigurationSection section, KnownKey key, string path)
    {
        List<IConfigurationSection> items =
        [
            .. section.GetChildren().Where(c => !c.Key.Equals(FileKey, StringComparison.OrdinalIgnoreCase)),
        ];
        var value = section.Value ?? section[FileKey];
        if (items.Count > 0 && value is not null)
            _problems.Add(section.Path, "must be a single value or a list, but is given as both");
        else if (items.Count > 0)
            VisitItems(section, items, key, path);
        else if (key.Role && value is null or "")
            _values[path] = "";
        else if (value is not null)
            ReadValue(section, key, $"{path}:0");
    }

    /// <summary>
    /// Whatever is written, the binder finds a section. Which of two ways of saying the same was meant to count nobody can tell.
    /// </summary>
    private void VisitShort(IConfigurationSection section, KnownKey key, string path)
    {
        var first = key.Find(nameof(TimeOptions.Column))!;
        List<IConfigurationSection> below =
        [
            .. section.GetChildren().Where(c => !c.Key.Equals(FileKey, StringComparison.OrdinalIgnoreCase)),
        ];
        var value = section.Value ?? section[FileKey];
        if (below.Count == 0 || value is not null)
            ReadValue(section, first with { Role = key.Role }, $"{path}:{first.Name}");
        foreach (var child in below)
        {
            if (key.Find(child.Key) is not { } known)
                _problems.Add(child.Path, $"is not a known key{DidYouMean.Hint(child.Key, key.Children.Select(c => c.Name))}");
            else if (known.Name == first.Name && value is not null)
                _problems.Add(child.Path, $"must not be given together with a value of {section.Path} itself, which is short for it");
            else
                VisitValue(child, known, $"{path}:{known.Name}");
        }
    }

    private void VisitValue(IConfigurationSection section, KnownKey key, string path)
    {
        foreach (var child in section.GetChildren().Where(c => !c.Key.Equals(FileKey, StringComparison.OrdinalIgnoreCase)))
        {
            _problems.Add(child.Path, $"is not a known key: {section.Path} takes a single value");
            _problems.Cover(section.Path);
        }
        ReadValue(section, key, path);
    }

    private void ReadValue(IConfigurationSection section, KnownKey key, string path)
    {
        var file = section[FileKey];
        if (file is null)
        {
            _values[path] = section.Value ?? (key.Role ? "" : null);
            return;
        }
        string? problem;
        if (section.Value is not null)
            problem = $"must not be given together with {section.Path} itself";
        else if (string.IsNullOrWhiteSpace(file))
            problem = "must be the path of a file, but is empty";
        else
            _values[path] = ValueFile.Read(_folder, file, key.Secret, out problem);
        if (problem is null)
            return;
        _problems.Add($"{section.Path}:{FileKey}", problem);
        _problems.Cover(section.Path);
    }

    private void RefuseValue(IConfigurationSection section)
    {
        if (section.Value is not null)
            _problems.Add(section.Path, "must be a section of keys, but is a single value");
    }
}
