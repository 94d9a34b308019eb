using System.Text.Json;
using Archiver.Core.Diagnostics;
using Archiver.Core.Documents;
using Archiver.Core.Settings;
using Archiver.Core.Spool;

namespace Archiver.Core.Reading;

/// <summary>
/// Reads a page of a document's messages for a person. The whole document is read and compared with the ledger before anything is shown.
/// </summary>
internal sealed class TranscriptReader(ArchiveDownloader downloader)
{
    /// <summary>Bytes of message rows that one page may hold in memory; what comes after them is on the next page.</summary>
    private const int PageBytes = 4 << 20;

    /// <summary>json columns may nest deeper than any reader's default.</summary>
    private const int Depth = 25_000;

    /// <exception cref="ArchiverException">The object is missing or damaged.</exception>
    /// <exception cref="StorageException">The store does not answer or refuses.</exception>
    public async Task<Transcript> ReadAsync(LocatedArchive archive, int first, int most, CancellationToken cancellationToken)
    {
        await using var gzip = await downloader.OpenGzipAsync(archive, cancellationToken);
        await using var json = new GzipMemberStream(gzip);
        await using var hashing = new HashingStream(json);
        try
        {
            using var document = await DocumentReader.OpenAsync(hashing, cancellationToken);
            JsonElement session = default;
            List<JsonElement> messages = [];
            Dictionary<string, int> counts = new(StringComparer.Ordinal);
            var bytes = 0;
            while (await document.ReadAsync(cancellationToken))
            {
                var number = counts.GetValueOrDefault(document.Table);
                counts[document.Table] = number + 1;
                if (document.Table == SourceMap.SessionName)
                    session = Parse(document.Row);
                else if (
                    document.Table == SourceMap.MessagesName
                    && number >= first
                    && messages.Count < most
                    && number == first + messages.Count
                    && (bytes == 0 || bytes + document.Row.Length <= PageBytes)
                )
                {
                    bytes += document.Row.Length;
                    messages.Add(Parse(document.Row));
                }
            }
            if (!hashing.Was(archive.JsonLength, archive.JsonSha256))
                throw downloader.Damaged(archive, null);
            var count = counts.GetValueOrDefault(SourceMap.MessagesName);
            counts.Remove(SourceMap.SessionName);
            counts.Remove(SourceMap.MessagesName);
            return new(document.Header, session, messages, first, count, counts);
        }
        catch (Exception exception) when (exception is InvalidDataException or JsonException)
        {
            throw downloader.Damaged(archive, exception);
        }
    }

    private static JsonElement Parse(ReadOnlySpan<byte> row)
    {
        var reader = new Utf8JsonReader(row, new JsonReaderOptions { MaxDepth = Depth });
        return JsonElement.ParseValue(ref reader);
    }
}
