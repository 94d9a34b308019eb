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
    private readonly string _folder;

    private ConfigurationTree(Problems problems, string folder) => (_problems, _folder) = (problems, folder);

    /// <summary>The section as raw options: every value that has a known key, as text. Relative paths of files start in the folder.</summary>
    public static ArchiverOptions Bind(IConfigurationSection section, Problems problems, string folder)
    {
        var tree = new ConfigurationTree(problems, folder);
        tree.Visit(section, KnownKey.Root);
        var resolved = new ConfigurationBuilder().AddInMemoryCollection(tree._values).Build();
        return resolved.GetSection(section.Path).Get<ArchiverOptions>() ?? new();
    }

    private void Visit(IConfigurationSection section, KnownKey key)
    {
        switch (key.Kind)
        {
            case KeyKind.Value:
                VisitValue(section, key);
                break;
            case KeyKind.List:
                VisitList(section, key);
                break;
            case KeyKind.Named:
                RefuseValue(section);
                foreach (var named in section.GetChildren())
                    VisitNamed(named, key);
                break;
            default:
                VisitSection(section, key);
                break;
        }
    }

    /// <summary>The binder forgets <c>"idle": {}</c>, and a forgotten policy looks like one with nothing to do; a null keeps it.</summary>
    private void VisitNamed(IConfigurationSection section, KnownKey key)
    {
        _values[$"{section.Path}:{key.Children[0].Name}"] = null;
        VisitSection(section, key);
    }

    private void VisitSection(IConfigurationSection section, KnownKey key)
    {
        RefuseValue(section);
        foreach (var child in section.GetChildren())
        {
            if (key.Find(child.Key) is { } known)
                Visit(child, known);
            else
                _problems.Add(child.Path, $"is not a known key{DidYouMean.Hint(child.Key, key.Children.Select(c => c.Name))}");
        }
    }

    private void VisitList(IConfigurationSection section, KnownKey key)
    {
        // An empty JSON list arrives as an empty text.
        if (section.Value is "")
            _values[section.Path] = "";
        else if (section.Value is not null)
            _problems.Add(section.Path, $"must be a list: [\"a\", \"b\"], or {section.Key}__0 in the environment, but is a single value");
        foreach (var item in section.GetChildren())
        {
            if (int.TryParse(item.Key, NumberStyles.None, CultureInfo.InvariantCulture, out _))
                VisitValue(item, key);
            else
                _problems.Add(item.Path, "is not a known key; the keys of a list are 0, 1, 2, ...");
        }
    }

    private void VisitValue(IConfigurationSection section, KnownKey key)
    {
        foreach (var child in section.GetChildren().Where(c => !c.Key.Equals(FileKey, StringComparison.OrdinalIgnoreCase)))
        {
            _problems.Add(child.Path, $"is not a known key: {section.Path} takes a single value");
            _problems.Cover(section.Path);
        }
        var file = section[FileKey];
        if (file is null)
        {
            _values[section.Path] = section.Value;
            return;
        }
        string? problem;
        if (section.Value is not null)
            problem = $"must not be given together with {section.Path} itself";
        else if (string.IsNullOrWhiteSpace(file))
            problem = "must be the path of a file, but is empty";
        else
            _values[section.Path] = ValueFile.Read(_folder, file, key.Secret, out problem);
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
