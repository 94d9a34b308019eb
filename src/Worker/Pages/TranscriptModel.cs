using System.Text.Json;
using Archiver.Core.Reading;
using Archiver.Core.Restore;
using Archiver.Core.Settings;

namespace Archiver.Worker.Pages;

/// <summary>A page of a transcript: which columns of a message are its speaker, its text and its time.</summary>
internal sealed record TranscriptModel(SourceSettings Source, LocatedArchive Archive, Transcript Transcript, string? Notice)
{
    public IEnumerable<MessageModel> Messages => Transcript.Messages.Select((m, i) => Of(m, Transcript.First + i + 1));

    private MessageModel Of(JsonElement row, int number)
    {
        var columns = row.EnumerateObject().ToList();
        var (speaker, text, at) = MessageColumns.Of(Source.Map, [.. columns.Select(c => c.Name)]);
        return new(
            number, Value(columns, speaker), Value(columns, at), Value(columns, text),
            [.. columns.Where(c => c.Name != speaker && c.Name != text && c.Name != at).Select(c => (c.Name, Show.Value(c.Value)))]);
    }

    private static string? Value(List<JsonProperty> columns, string? name) => name is null ? null : Show.Value(columns.Find(c => c.Name == name).Value);
}

/// <summary>One message; null for what its table does not have.</summary>
internal sealed record MessageModel(int Number, string? Speaker, string? At, string? Text, IReadOnlyList<(string Name, string Value)> Others);
