using System.Text.Json;
using Archiver.Core.Diagnostics;
using Archiver.Core.Documents;
using Archiver.Core.Ledger;
using Archiver.Core.Storage;

namespace Archiver.Core.Ownership;

/// <summary>
/// Whose an object is, by what it says itself: the id of its ledger, the system and the database that it was written from. Asked on every
/// way that destroys: a row of the ledger says only that some database with this ledger once stored something under that key.
/// </summary>
internal sealed class ObjectOwner(IArchiveReader store, DatabaseIdentity database)
{
    /// <summary>The system and the database stand at the start of a document; its row may be large.</summary>
    private const long HeaderBytes = 256 * 1024;

    /// <summary>
    /// Why an object, or what is there now under its key, is not this database's, or null. An object that is absent is nobody's.
    /// </summary>
    /// <exception cref="StorageException">The store does not answer or refuses.</exception>
    public async Task<string?> WhyForeignAsync(ObjectName name, CancellationToken cancellationToken)
    {
        foreach (var asked in new[] { name, new ObjectName(name.Key) }.Distinct())
        {
            if (await store.HeadAsync(asked, cancellationToken) is { } head && await WhyForeignAsync(head, cancellationToken) is { } reason)
            {
                return reason;
            }
        }
        return null;
    }

    /// <summary>The same of an object that was read to its end.</summary>
    public string? WhyForeign(FoundObject found) =>
        WhyForeignLedger(found.Metadata)
        ?? found.Documents.Select(d => WhyForeign(d.Header.Source.SystemId, d.Header.Source.Database)).FirstOrDefault(r => r is not null);

    /// <summary>
    /// The same by what the store keeps beside an object that is no archive; what does not say its database counts as ours.
    /// </summary>
    public string? WhyForeignPlace(IReadOnlyDictionary<string, string> metadata) =>
        metadata.GetValueOrDefault(ObjectMetadata.SystemKey) is { } system
        && metadata.GetValueOrDefault(ObjectMetadata.DatabaseKey) is { } written
            ? WhyForeign(system, Uri.UnescapeDataString(written))
            : null;

    /// <summary>
    /// The same by system and database alone, whatever its ledger: a ledger that was lost has another id than its objects.
    /// </summary>
    public string? WhyForeign(string system, string written) =>
        database.Origins.Contains((system, written)) ? null : Foreign(system, written);

    /// <summary>The same of one version, by what the store says of it.</summary>
    /// <exception cref="StorageException">The store does not answer or refuses.</exception>
    public async Task<string?> WhyForeignAsync(ObjectHead head, CancellationToken cancellationToken)
    {
        if (WhyForeignLedger(head.Metadata) is { } reason)
            return reason;
        var (system, written) = (
            head.Metadata.GetValueOrDefault(ObjectMetadata.SystemKey),
            head.Metadata.GetValueOrDefault(ObjectMetadata.DatabaseKey)
        );
        if (system is not null && written is not null)
            return WhyForeign(system, Uri.UnescapeDataString(written));
        // Objects of earlier versions name their database in the document only; of a damaged one the system is all there is.
        return await ReadSourceAsync(head, cancellationToken) is { } source ? WhyForeign(source.SystemId, source.Database)
            : system is null ? "it cannot be read and does not say whose it is"
            : database.Origins.Any(o => o.SystemId == system) ? null
            : Foreign(system, null);
    }

    // Metadata may be lost when a bucket is copied with another tool; then the documents alone decide.
    private string? WhyForeignLedger(IReadOnlyDictionary<string, string> metadata) =>
        metadata.GetValueOrDefault(ObjectMetadata.LedgerKey) is { } ledger && !database.LedgerIds.Contains(ledger)
            ? "it is of another ledger"
            : null;

    private static string Foreign(string system, string? written)
    {
        var from = DocumentReader.Shorten(system) + (written is null ? "" : $"/{DocumentReader.Shorten(written)}");
        return $"it is of {(written is null ? "a database" : $"database '{DocumentReader.Shorten(written)}'")} of system "
            + $"{DocumentReader.Shorten(system)}, which this ledger never belonged to; "
            + $"if that was this very database before it moved: archiver ledger own --from {from} --yes";
    }

    private async Task<DocumentSource?> ReadSourceAsync(ObjectHead head, CancellationToken cancellationToken)
    {
        await using var body = await store.OpenRangeAsync(head.Name, 0, Math.Min(head.Length, HeaderBytes), cancellationToken);
        if (body is null)
            return null;
        try
        {
            await using var json = new GzipMemberStream(body);
            using var document = await DocumentReader.OpenAsync(json, cancellationToken);
            return document.Header.Source;
        }
        catch (Exception exception) when (exception is InvalidDataException or JsonException or EndOfStreamException)
        {
            return null;
        }
    }
}
