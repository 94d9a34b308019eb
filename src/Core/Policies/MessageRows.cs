using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Policies;

/// <summary>
/// The messages of sessions, and what hangs below them: the tables of which an archive run with <c>Scope: Messages</c> takes rows.
/// </summary>
internal static class MessageRows
{
    /// <summary>The alias of the message in <see cref="SessionPath"/> of this table; null where its rows hang below none.</summary>
    public static string? Alias(SourceMap map, ChildTable child)
    {
        var (at, alias) = (child, "t");
        for (var level = 1; at.Name != SourceMap.MessagesName; level++)
        {
            if (at.Parent == SourceMap.SessionName)
                return null;
            (at, alias) = (map.Children.Single(c => c.Name == at.Parent), $"p{level}");
        }
        return alias;
    }
}
