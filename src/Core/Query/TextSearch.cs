using System.Text;
using System.Text.Json;
using Archiver.Core.Documents;
using Archiver.Core.Ledger;
using Archiver.Core.Reading;
using Archiver.Core.Restore;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Spool;

namespace Archiver.Core.Query;

/// <summary>
/// Looks for a text in what was archived: in the text columns of the messages but the speaker's, whatever the case of the letters. It reads
/// verified documents one after the other and keeps nothing of them but the newest hits; no database is loaded for it.
/// </summary>
/// <param name="selection">What it reads; to be filled and noted in the audit before.</param>
internal sealed class TextSearch(ArchiveSelection selection)
{
    /// <summary>Reads all that was selected.</summary>
    /// <param name="sought">The text.</param>
    /// <param name="most">So many of the newest hits are kept.</param>
    /// <param name="progress">Told of each document.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The newest hits, newest first, and how many there are in all.</returns>
    public async Task<(IReadOnlyList<TextHit> Newest, long Count)> RunAsync(
        string sought,
        int most,
        IProgress<RunProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        var hits = new NewestHits(most);
        await selection.FetchAsync(
            async (members, gzip, token) =>
            {
                await using var body = gzip.OpenRead();
                foreach (var (archive, header) in members)
                {
                    await using var member = new SliceStream(body, archive.Archive.Length);
                    await ReadAsync(archive.Archive, header, member, sought, hits, token);
                    await member.CopyToAsync(Stream.Null, token);
                }
            },
            progress,
            cancellationToken
        );
        await selection.RequireStillThereAsync(cancellationToken);
        return (hits.Newest, hits.Count);
    }

    private async Task ReadAsync(
        LocatedArchive archive,
        DocumentHeader header,
        Stream member,
        string sought,
        NewestHits hits,
        CancellationToken cancellationToken
    )
    {
        if (header.Tables.FirstOrDefault(t => t.Name == SourceMap.MessagesName) is not { } table)
            return;
        var columns = MessageColumns.Of(selection.MapOf(archive.Source), [.. table.Columns.Select(c => c.Name)]);
        var texts = table
            .Columns.Where(c => IsText(c.Type) && c.Name != columns.Speaker)
            .Select(c => c.Name)
            .ToHashSet(StringComparer.Ordinal);
        await using var json = new GzipMemberStream(member);
        using var document = await DocumentReader.OpenAsync(json, cancellationToken);
        var number = 0;
        while (await document.ReadAsync(cancellationToken))
        {
            if (document.Table != SourceMap.MessagesName)
                continue;
            number++;
            var (found, time, role) = Read(document.Row, texts, columns, sought);
            foreach (var (column, text) in found)
            {
                var message = new TextHit(
                    archive.Source,
                    archive.SessionId,
                    archive.Generation,
                    archive.User,
                    number,
                    time,
                    role,
                    column,
                    Line: "",
                    Start: 0,
                    sought.Length
                );
                hits.Add(message, text, sought);
            }
        }
    }

    private static (List<(string Column, string Text)> Found, string? Time, string? Role) Read(
        ReadOnlySpan<byte> row,
        HashSet<string> texts,
        MessageColumns columns,
        string sought
    )
    {
        List<(string, string)> found = [];
        Dictionary<string, string?> times = new(StringComparer.Ordinal);
        string? role = null;
        var reader = JsonPieces.Over(row);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            if (
                columns.Time?.Columns.Contains(name) is true
                && reader.TokenType is (JsonTokenType.String or JsonTokenType.Number or JsonTokenType.True)
            )
                times[name] = reader.TokenType == JsonTokenType.String ? reader.GetString() : Encoding.UTF8.GetString(reader.ValueSpan);
            else if (reader.TokenType != JsonTokenType.String)
                reader.Skip();
            else if (name == columns.Speaker)
                role = reader.GetString();
            else if (texts.Contains(name) && reader.GetString()! is var text && text.Contains(sought, StringComparison.OrdinalIgnoreCase))
                found.Add((name, text));
        }
        return (found, columns.Time is { } time ? TimeValue.Of(time, times.GetValueOrDefault) : null, role);
    }

    private static bool IsText(string type) =>
        type is "text" or "citext"
        || type.StartsWith("character", StringComparison.Ordinal)
        || type.EndsWith(".citext", StringComparison.Ordinal);
}
