using Archiver.Core.Bucket;
using Archiver.Core.Documents;
using Archiver.Core.Import;
using Archiver.Core.Postgres;
using Archiver.Core.Reading;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Reconciliation;

/// <summary>Documents whose sessions are live, with the very same rows: compared as a restore would compare them.</summary>
internal sealed class LiveDocuments(
    NpgsqlConnection connection,
    IArchiveReader store,
    SourceSettings source,
    RestoreTarget target,
    ImportPlans plans
)
{
    /// <summary>Whether the rows of a document are the live ones.</summary>
    public async Task<bool> AreUnchangedAsync(FoundObject found, FoundDocument document, CancellationToken cancellationToken)
    {
        if (!KeyForm.Of(target.Map, target.Shape).Possible([document.SessionId]).Any())
            return false;
        var candidate = new RestoreCandidate(document.SessionId, new ObjectName(found.Key, found.VersionId), null);
        await using var body = await store.OpenRangeAsync(candidate.Object, document.Offset, document.Length, cancellationToken);
        if (body is null)
            return false;
        try
        {
            await using var json = new GzipMemberStream(body);
            await using var staged = await new SessionStager(plans, source.Name, TombstoneSet.Empty).StageAsync(
                candidate,
                json,
                cancellationToken
            );
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await connection.ExecuteAsync(TransactionSettings.Export, cancellationToken);
            var differing = await new RowComparer(connection, new ImportStatements(target)).DifferingAsync([staged], cancellationToken);
            return differing.Count == 0;
        }
        catch (RefusedSessionException)
        {
            return false;
        }
    }
}
