using Archiver.Core.Diagnostics;

namespace Archiver.Core.Configuration;

/// <summary>Collects what is wrong with the configuration, so that an operator sees all of it at the first start.</summary>
internal sealed class Problems
{
    private readonly List<string> _lines = [];
    private readonly HashSet<string> _paths = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>One line: which key, and what it must be and is.</summary>
    public void Add(string path, string text)
    {
        _lines.Add($"{Visible.Text(path)}: {text}");
        _paths.Add(path);
    }

    /// <summary>As <see cref="Add"/>, unless the key has a problem already: a value that could not be read is not missing too.</summary>
    public void AddMissing(string path, string text)
    {
        if (!_paths.Contains(path))
            Add(path, text);
    }

    /// <summary>Notes that a problem of another line concerns this key, so that it is not called missing as well.</summary>
    public void Cover(string path) => _paths.Add(path);

    /// <exception cref="ArchiverException">There is a problem; the message has them all, one a line.</exception>
    public void ThrowIfAny()
    {
        if (_lines.Count == 0)
            return;
        var count = _lines.Count == 1 ? "1 problem" : $"{_lines.Count} problems";
        throw new ArchiverException(FailureKind.Configuration, $"The configuration has {count}:\n{string.Join('\n', _lines)}");
    }
}
