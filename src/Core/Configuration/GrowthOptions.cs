using Archiver.Core.Settings;

namespace Archiver.Core.Configuration;

/// <summary>Section <c>Growth</c> as written.</summary>
internal sealed class GrowthOptions
{
    public string? SessionsTable { get; set; }

    public string? MessagesTable { get; set; }

    public GrowthSettings Read(ValueReader read)
    {
        var defaults = new GrowthSettings();
        return new()
        {
            SessionsTable = read.Size(SessionsTable) ?? defaults.SessionsTable,
            MessagesTable = read.Size(MessagesTable) ?? defaults.MessagesTable,
        };
    }
}
