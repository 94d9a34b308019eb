using System.Text.Json;
using Archiver.Core.Restore;
using Archiver.Core.Sources;

namespace Archiver.Worker.Pages;

/// <summary>A page of a transcript: which columns of a message are its speaker, its text and its time.</summary>
internal sealed record TranscriptModel(SourceSettings Source, LocatedArchive Archive, Transcript Transcript, string? Notice)
{
    private static readonly string[] Speakers = ["role", "sender", "author", "speaker"];

    private static readonly string[] Texts = ["content", "text", "body", "message"];

    private static readonly string[] Times = ["created_at", "timestamp", "sent_at", "time"];

    public IEnumerable<MessageModel> Messages => Transcript.Messages.Select((m, i) => Of(m, Transcript.First + i + 1));

    private MessageModel Of(JsonElement row, int number)
    {
        var time = Source.Map.Children.FirstOrDefault(c => c.Name == SourceMap.MessagesName)?.Time;
        var columns = row.EnumerateObject().ToList();
        var (speaker, text, at) = (Find(columns, Speakers), Find(columns, Texts), Find(columns, time is null ? Times : [time]));
        return new(
            number, Value(columns, speaker), Value(columns, at), Value(columns, text),
            [.. columns.Where(c => c.Name != speaker && c.Name != text && c.Name != at).Select(c => (c.Name, Show.Value(c.Value)))]);
    }

    private static string? Find(List<JsonProperty> columns, string[] names) => names.FirstOrDefault(n => columns.Exists(c => c.Name == n));

    private static string? Value(List<JsonProperty> columns, string? name) => name is null ? null : Show.Value(columns.Find(c => c.Name == name).Value);
}

/// <summary>One message; null for what its table does not have.</summary>
internal sealed record MessageModel(int Number, string? Speaker, string? At, string? Text, IReadOnlyList<(string Name, string Value)> Others);
