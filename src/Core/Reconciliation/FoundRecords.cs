using System.Globalization;
using Archiver.Core.Bucket;
using Archiver.Core.Documents;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Reconciliation;

/// <summary>
/// Collects what was found in the bucket in temporary tables and writes it to the ledger in one transaction: the ledger is rebuilt wholly
/// or not at all. Known objects are left as they are.
/// </summary>
internal sealed class FoundRecords(NpgsqlConnection connection, SourceSettings source, IArchiveReader store, TombstoneSet erased)
{
    /// <summary>Reasons by which rebuilt archives are recognised until they are settled.</summary>
    public const string Confirmed = "rebuilt from the bucket",
        Unconfirmed = "rebuilt from the bucket; no manifest confirms it";

    /// <summary>Documents of erased sessions: their objects are recorded, so that they can be removed, and no archive of them.</summary>
    public long Erased { get; private set; }

    /// <summary>Makes the temporary tables.</summary>
    public Task BeginAsync(CancellationToken cancellationToken) => connection.ExecuteAsync(FoundStatements.CreateTables, cancellationToken);

    public async Task AddAsync(BatchManifest manifest, CancellationToken cancellationToken) =>
        await connection.ExecuteAsync(
            FoundStatements.AddConfirmed,
            cancellationToken,
            PgParameter.Texts(manifest.Members.Select(m => m.Session)),
            PgParameter.Ints(manifest.Members.Select(m => m.Generation)),
            PgParameter.Texts(manifest.Members.Select(m => m.JsonSha256))
        );

    public async Task AddAsync(IReadOnlyList<FoundObject> objects, CancellationToken cancellationToken)
    {
        await connection.ExecuteAsync(
            FoundStatements.AddObjects,
            cancellationToken,
            PgParameter.Texts(objects.Select(o => o.Key)),
            PgParameter.Texts(objects.Select(o => o.VersionId)),
            PgParameter.Texts(objects.Select(o => o.Metadata.GetValueOrDefault(ObjectMetadata.AttemptKey) ?? "")),
            PgParameter.Texts(objects.Select(o => o.IsBundle ? "bundle" : "session")),
            PgParameter.Texts(objects.Select(o => PgArray.Literal(o.Documents.Select(d => d.SessionId)))),
            PgParameter.Bigints(objects.Select(o => o.Length)),
            PgParameter.BytesArray(objects.Select(o => o.Sha256)),
            PgParameter.Texts(objects.Select(o => o.Documents[0].Header.Source.Run)),
            PgParameter.Texts(objects.Select(o => o.Documents[0].Header.Source.Policy)),
            PgParameter.Texts(objects.Select(o => o.Documents[0].Header.ArchivedAt))
        );
        List<(string Key, FoundDocument Found)> documents =
        [
            .. objects.SelectMany(o => o.Documents.Where(d => !IsErased(d)).Select(d => (o.Key, d))),
        ];
        Erased += objects.Sum(o => o.Documents.Count) - documents.Count;
        await connection.ExecuteAsync(
            FoundStatements.AddDocuments,
            cancellationToken,
            PgParameter.Texts(documents.Select(d => d.Key)),
            PgParameter.Texts(documents.Select(d => d.Found.SessionId)),
            PgParameter.Texts(documents.Select(d => d.Found.ExternalId)),
            PgParameter.Ints(documents.Select(d => d.Found.Generation)),
            PgParameter.Texts(documents.Select(d => d.Found.User)),
            PgParameter.Texts(documents.Select(d => d.Found.Created)),
            PgParameter.Texts(documents.Select(d => PgArray.Literal(d.Found.Activity))),
            PgParameter.Texts(documents.Select(d => PgArray.Literal(d.Found.Times))),
            PgParameter.Bigints(documents.Select(d => d.Found.Messages)),
            PgParameter.Bigints(documents.Select(d => d.Found.Rows)),
            PgParameter.Bigints(documents.Select(d => d.Found.Offset)),
            PgParameter.Bigints(documents.Select(d => d.Found.Length)),
            PgParameter.Bigints(documents.Select(d => d.Found.JsonLength)),
            PgParameter.BytesArray(documents.Select(d => d.Found.JsonSha256)),
            PgParameter.Texts(documents.Select(d => d.Found.Header.Source.Run)),
            PgParameter.Texts(documents.Select(d => d.Found.Header.Source.Policy)),
            PgParameter.Texts(documents.Select(d => d.Found.Header.ArchivedAt)),
            PgParameter.Bools(documents.Select(d => d.Found.Header.IsPart)),
            PgParameter.BytesArray(documents.Select(d => d.Found.RowsSha256))
        );
    }

    private bool IsErased(FoundDocument document) =>
        erased.Covers(
            document.SessionId,
            document.User,
            null,
            DateTimeOffset.TryParse(document.Header.ArchivedAt, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
                ? at
                : null
        );

    /// <summary>Writes everything to the ledger and gives each archive its state; returns how many archives were added.</summary>
    /// <param name="audit">Written with it; null where the caller writes its own.</param>
    /// <param name="connections">For the question what became of the commit.</param>
    /// <param name="lease">Of whoever holds the source's lock.</param>
    /// <param name="cancellationToken">Gives up; nothing is written then.</param>
    public async Task<int> WriteAsync(AuditEntry? audit, SourceConnections connections, Lease lease, CancellationToken cancellationToken)
    {
        await new KnownDocuments(connection, store, source).LeaveOutAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        // Texts without a zone are in the source's.
        await connection.ExecuteAsync(
            "SELECT set_config('TimeZone', $1, true), set_config('DateStyle', 'ISO, YMD', true)",
            cancellationToken,
            PgParameter.Text(source.TimeZone)
        );
        var (name, place) = (PgParameter.Text(source.Name), PgParameter.Text(store.Location));
        await connection.ExecuteAsync(FoundStatements.InsertRuns, cancellationToken, name.Clone());
        await connection.ExecuteAsync(FoundStatements.InsertObjects, cancellationToken, name.Clone(), place.Clone());
        var added = await connection.ExecuteAsync(
            FoundStatements.InsertArchives,
            cancellationToken,
            name.Clone(),
            place.Clone(),
            PgParameter.Text(Confirmed),
            PgParameter.Text(Unconfirmed)
        );
        await connection.ExecuteAsync(FoundStatements.AbandonUnnamed, cancellationToken, place.Clone());
        await new UnknownArchives(
            connection,
            source,
            await TableDescriber.DescribeAsync(connection, source.Map, cancellationToken)
        ).SettleGoneAsync(cancellationToken);
        if (audit is not null)
            await AuditLog.WriteAsync(connection, audit, cancellationToken);
        await lease.CommitAsync(connections, connection, transaction, cancellationToken);
        return added;
    }
}
