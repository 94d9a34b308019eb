using Archiver.Core.Settings;

namespace Archiver.Core.Configuration;

/// <summary>Puts children in the order that export and delete need: parents before their children.</summary>
internal sealed class ChildTree(ValueReader read)
{
    /// <summary>The children, sorted; a parent that does not exist or a circle is a problem.</summary>
    public IReadOnlyList<ChildTable> Sort(IReadOnlyList<ChildTable> children)
    {
        List<ChildTable> waiting = [.. children.Select(c => WithKnownParent(c, children))];
        List<ChildTable> sorted = [];
        while (waiting.Count > 0)
        {
            var ready = waiting.Where(c => c.Parent == SourceMap.SessionName || sorted.Any(s => s.Name == c.Parent)).ToList();
            if (ready.Count == 0)
                break;
            sorted.AddRange(ready);
            waiting.RemoveAll(ready.Contains);
        }
        foreach (var child in waiting)
        {
            read.Section(child.Name)
                .Problem(nameof(child.Parent), $"must lead to the session table, but '{child.Parent}' leads back in a circle");
        }
        return sorted;
    }

    /// <summary>The child with its parent's name as that is written; one that does not exist is reported and becomes the session.</summary>
    private ChildTable WithKnownParent(ChildTable child, IReadOnlyList<ChildTable> children)
    {
        string[] names = [SourceMap.SessionName, .. children.Select(c => c.Name)];
        var parent = names.FirstOrDefault(n => n.Equals(child.Parent, StringComparison.OrdinalIgnoreCase));
        if (parent is null)
        {
            var others = names.Where(n => n != child.Name);
            read.Section(child.Name).Bad(nameof(child.Parent), child.Parent, $"one of {string.Join(", ", others.Select(Visible.Text))}");
        }
        return child with { Parent = parent ?? SourceMap.SessionName };
    }
}
