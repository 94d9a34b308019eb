using Archiver.Core.Discovery;

namespace Archiver.Core.Tests.Discovery;

/// <summary>Tables to propose a mapping for.</summary>
internal static class ProposedTables
{
    internal const string Chats = "chats(id uuid pk, user_id text, title text, created_at timestamptz!, updated_at timestamptz!)";
    internal const string Messages =
        "messages(id bigint pk, chat_id uuid! -> chats cascade, role text, content text, created_at timestamptz!)";

    internal static string Line(ProposedChild child) =>
        $"{child.Name} {child.Parent} {child.ForeignKey}->{child.ParentKey} {child.Key ?? "-"} {string.Join(',', child.Order)} "
        + $"{child.Time?.ToString() ?? "-"}";
}
