using Archiver.Core.Settings;

namespace Archiver.Core.Restore;

/// <summary>
/// Which columns of a message are its speaker, its text and its time: applications call them by a few names, and the map knows the time's.
/// </summary>
internal sealed record MessageColumns(string? Speaker, string? Text, TimeColumn? Time)
{
    private static readonly string[] Speakers = ["role", "sender", "author", "speaker"];

    private static readonly string[] Texts = ["content", "text", "body", "message"];

    private static readonly string[] Times = ["created_at", "timestamp", "sent_at", "time"];

    /// <param name="map">Of the source.</param>
    /// <param name="columns">Names that a message has.</param>
    public static MessageColumns Of(SourceMap map, IReadOnlyCollection<string> columns)
    {
        var time = map.Children.FirstOrDefault(c => c.Name == SourceMap.MessagesName)?.Time;
        return new(
            Find(columns, Speakers),
            Find(columns, Texts),
            time is null
                ? Find(columns, Times) is { } found
                    ? new(found)
                    : null
                : time.Columns.All(columns.Contains)
                    ? time
                    : null
        );
    }

    private static string? Find(IReadOnlyCollection<string> columns, string[] names) => names.FirstOrDefault(columns.Contains);
}
