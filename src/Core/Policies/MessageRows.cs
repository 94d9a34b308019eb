using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Policies;

/// <summary>
/// The messages of sessions, and what hangs below them: the tables of which an archive run with <c>Scope: Messages</c> takes rows.
/// </summary>
internal static class MessageRows
{
    /// <summary>The alias of the message in <see cref="SessionPath"/> of this table; null where its rows hang below none.</summary>
    public static string? Alias(SourceMap map, ChildTable child) =>
        SessionPath.Upwards(map, child).FirstOrDefault(t => t.Table.Name == SourceMap.MessagesName).Alias;
}
