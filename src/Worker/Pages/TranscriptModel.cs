using System.Text.Json;
using Archiver.Core.Reading;
using Archiver.Core.Restore;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

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
            number,
            Value(columns, speaker),
            at is null ? null : TimeValue.Of(at, c => Value(columns, c)),
            Value(columns, text),
            [
                .. columns
                    .Where(c => c.Name != speaker && c.Name != text && at?.Columns.Contains(c.Name) is not true)
                    .Select(c => (c.Name, Show.Value(c.Value))),
            ]
        );
    }

    private static string? Value(List<JsonProperty> columns, string? name) =>
        name is null ? null
        : columns.Find(c => c.Name == name) is { Name: not null } found ? Show.Value(found.Value)
        : null;
}

/// <summary>One message; null for what its table does not have.</summary>
internal sealed record MessageModel(
    int Number,
    string? Speaker,
    string? At,
    string? Text,
    IReadOnlyList<(string Name, string Value)> Others
);
