using System.IO.Compression;
using System.Security.Cryptography;
using Archiver.Core.Bucket;
using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Storage;

namespace Archiver.Core.Reading;

/// <summary>Fetches documents from the store. It has the reading side only, so nothing it does can change an object.</summary>
internal sealed class ArchiveDownloader(IArchiveReader store, ConnectionCatalog connections, ArchiverSettings settings)
{
    /// <summary>Copies a session's gzip member as stored.</summary>
    /// <exception cref="ArchiverException">The object is absent.</exception>
    /// <exception cref="StorageException">The store does not answer or refuses.</exception>
    public async Task CopyGzipAsync(LocatedArchive archive, Stream output, CancellationToken cancellationToken)
    {
        await using var gzip = await OpenGzipAsync(archive, cancellationToken);
        await gzip.CopyToAsync(output, cancellationToken);
    }

    /// <summary>Copies a session's JSON and compares length and hash with the ledger's.</summary>
    /// <exception cref="ArchiverException">The object is absent or its bytes are not what was archived.</exception>
    /// <exception cref="StorageException">The store does not answer or refuses.</exception>
    public async Task CopyJsonAsync(LocatedArchive archive, Stream output, CancellationToken cancellationToken)
    {
        await using var gzip = await OpenGzipAsync(archive, cancellationToken);
        await CopyJsonAsync(archive, gzip, output, cancellationToken);
    }

    /// <summary>The same from a member that <see cref="OpenGzipAsync"/> has opened; it stays the caller's.</summary>
    /// <exception cref="ArchiverException">Its bytes are not what was archived.</exception>
    public async Task CopyJsonAsync(LocatedArchive archive, Stream gzip, Stream output, CancellationToken cancellationToken)
    {
        using var sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var length = 0L;
        try
        {
            await using var json = new GZipStream(gzip, CompressionMode.Decompress, leaveOpen: true);
            var (next, held, holds) = (new byte[81920], new byte[81920], 0);
            while (await json.ReadAsync(next, cancellationToken) is var read and > 0)
            {
                sha256.AppendData(next, 0, read);
                length += read;
                // More than was announced: with what is held back the client would have all that it waits for.
                if (length > archive.JsonLength)
                    throw Damaged(archive, null);
                await output.WriteAsync(held.AsMemory(0, holds), cancellationToken);
                (next, held, holds) = (held, next, read);
            }
            // The end is held back until all was compared: a client that has as many bytes as were announced takes them for the document.
            if (length != archive.JsonLength || !sha256.GetHashAndReset().AsSpan().SequenceEqual(archive.JsonSha256))
                throw Damaged(archive, null);
            await output.WriteAsync(held.AsMemory(0, holds), cancellationToken);
        }
        catch (InvalidDataException exception)
        {
            throw Damaged(archive, exception);
        }
    }

    /// <summary>A session's gzip member as stored.</summary>
    /// <exception cref="ArchiverException">
    /// The object is absent, or the session was erased: a ledger that was restored to an earlier time may still name it.
    /// </exception>
    /// <exception cref="StorageException">The store does not answer or refuses.</exception>
    public async Task<Stream> OpenGzipAsync(LocatedArchive archive, CancellationToken cancellationToken)
    {
        await using var connection = await connections[archive.Source].OpenAsync(cancellationToken);
        var erased = await new TombstoneReader(store).LoadAsync(
            settings.Sources.Single(s => s.Name == archive.Source),
            connection,
            cancellationToken
        );
        return erased.Covers(archive.SessionId, archive.User, archive.Created, archive.CopiedAt)
            ? throw new ArchiverException(FailureKind.Refused, $"Session '{archive.SessionId}': {TombstoneReader.Refusal}.")
            : await OpenAsync(archive, cancellationToken);
    }

    private async Task<Stream> OpenAsync(LocatedArchive archive, CancellationToken cancellationToken) =>
        await store.OpenRangeAsync(archive.Object, archive.Offset, archive.Length, cancellationToken)
        ?? throw await AbsentAsync(archive, cancellationToken);

    private async Task<ArchiverException> AbsentAsync(LocatedArchive archive, CancellationToken cancellationToken) =>
        new(
            FailureKind.Failed,
            await new AllObjects(store).FindOthersAsync(archive.Object, cancellationToken) is { Count: > 0 } left
                ? $"Object {archive.Object.Key} of session {archive.SessionId}: {AllObjects.Describe(store, archive.Object, left)}."
                : $"Object {archive.Object.Key} of session {archive.SessionId} is missing in {store.Location}, although the ledger has it "
                    + $"as {archive.State}."
        );

    /// <summary>What to say when the bytes are not what was archived.</summary>
    public ArchiverException Damaged(LocatedArchive archive, Exception? inner) =>
        new(
            FailureKind.Failed,
            $"Object {archive.Object.Key} in {store.Location} is damaged: its bytes are not what was archived for session "
                + $"{archive.SessionId} (generation {archive.Generation}).",
            inner
        );
}
