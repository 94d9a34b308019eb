using static Archiver.Core.Tests.Configuration.Configured;

namespace Archiver.Core.Tests.Configuration;

/// <summary>Section Tables of a source, as a test writes it.</summary>
internal static class ConfiguredTables
{
    internal const string Session = """ "Session": { "Table": "app.chat", "Key": "id", "Activity": ["last_seen"] } """;
    internal const string Msg = """ "messages": { "Table": "app.msg", "ForeignKey": "chat_id", "ParentKey": "id", "Order": ["id"] } """;

    internal static Configured Tables(string tables) => SourceJson($$"""{ "ConnectionString": "Host=db", "Tables": {{tables}} }""");
}
