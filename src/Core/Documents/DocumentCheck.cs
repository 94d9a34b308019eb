using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Spool;

namespace Archiver.Core.Documents;

/// <summary>What a document read back turned out to hold.</summary>
/// <param name="Key">The session's id, null when its row has no key.</param>
/// <param name="Rows">Rows by table name, the session's own included.</param>
/// <param name="Length">Bytes of the JSON.</param>
/// <param name="Sha256">SHA-256 of the JSON.</param>
/// <param name="Content">What it has in common with a later document of the same rows; null unless that was asked for.</param>
internal sealed record CheckedDocument(
    string? Key,
    IReadOnlyDictionary<string, long> Rows,
    long Length,
    byte[] Sha256,
    DocumentContent? Content
);

/// <summary>
/// Reads a document to its end by <see cref="DocumentReader"/>, which also reads it at a restore: what that refuses is not deleted, and a
/// mistake of the writer is found while the rows are still in the tables.
/// </summary>
/// <param name="keyColumns">The columns of the session's key.</param>
/// <param name="content">Whether to take the document apart for a comparison.</param>
internal sealed class DocumentCheck(KeyColumns keyColumns, bool content = false)
{
    /// <exception cref="JsonException">The bytes are not JSON.</exception>
    /// <exception cref="InvalidDataException">They are no document of the format, or the stream around them is damaged.</exception>
    public async Task<CheckedDocument> ReadAsync(Stream json, CancellationToken cancellationToken)
    {
        await using var hashing = new HashingStream(json);
        using var document = await DocumentReader.OpenAsync(hashing, cancellationToken);
        var read = await ReadAsync(document, cancellationToken);
        return read with { Length = hashing.BytesRead, Sha256 = hashing.GetHash() };
    }

    /// <summary>The same for a document in memory.</summary>
    /// <exception cref="JsonException">The bytes are not JSON.</exception>
    /// <exception cref="InvalidDataException">They are no document of the format.</exception>
    public async Task<CheckedDocument> ReadAsync(ArraySegment<byte> json, CancellationToken cancellationToken)
    {
        using var document = await DocumentReader.OpenAsync(json, cancellationToken);
        var read = await ReadAsync(document, cancellationToken);
        return read with { Length = json.Count, Sha256 = SHA256.HashData(json) };
    }

    private async Task<CheckedDocument> ReadAsync(DocumentReader document, CancellationToken cancellationToken)
    {
        using var parts = content ? new ContentParts(document.Header.Signature) : null;
        Dictionary<string, long> rows = [];
        string? key = null;
        while (await document.ReadAsync(cancellationToken))
        {
            if (document.Table == SourceMap.SessionName)
                key = IdOf(document);
            rows[document.Table] = rows.GetValueOrDefault(document.Table) + 1;
            parts?.Add(document.Table, document.Row);
        }
        return new(key, rows, 0, [], parts?.Complete());
    }

    private string? IdOf(DocumentReader document)
    {
        List<string> values = [];
        foreach (var column in keyColumns)
        {
            if (RowColumn.Find(document.Row, column, JsonTokenType.String, JsonTokenType.Number) is not { } text)
                return null;
            values.Add(document.Header.KeyText(column, text));
        }
        return SessionIdText.Of(values);
    }
}
