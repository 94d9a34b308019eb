using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Storage;

namespace Archiver.Core.Upload;

/// <summary>
/// Stores a batch's objects. Each is recorded as pending before it exists, so that a crash leaves no object that the ledger does not know;
/// what it may leave is a pending row, or an object too many, which reconcile finds. No transaction is open meanwhile. An object that the
/// store refuses is divided down to its sessions, and one of these is handed on with the refusal.
/// </summary>
internal sealed class BatchUploader(
    RunContext run,
    IArchiveStore store,
    IObjectLayout layout,
    PendingNames names,
    int concurrency,
    Action<UploadedObject>? settled = null
)
{
    /// <summary>Keys tried for one object before its name counts as broken; each conflict is an object that the ledger lost.</summary>
    private const int MaxConflicts = 100;

    /// <summary>Stores the batch's objects and hands each on; returns when all are stored or refused.</summary>
    /// <exception cref="StorageException">
    /// The store failed for longer than the retry budget, or for good, whatever the object is.
    /// </exception>
    public async Task UploadAsync(UploadedBatch batch, CancellationToken cancellationToken)
    {
        try
        {
            await StoreAsync(batch, layout.Plan(batch.Export), concurrency, cancellationToken);
            // Before the reader learns that these are all, and may go on to the delete.
            FaultPoint.Reach(FaultPoints.Uploaded);
            batch.Complete(failure: null);
        }
        catch (Exception exception)
        {
            batch.Complete(exception);
            throw;
        }
    }

    private async Task StoreAsync(UploadedBatch batch, IEnumerable<PlannedObject> objects, int atOnce, CancellationToken cancellationToken)
    {
        List<(PlannedObject Planned, bool RefusesOverwrite)> uploads = [];
        foreach (var planned in objects)
            uploads.Add((planned, await RefusesOverwriteAsync(planned, cancellationToken)));
        var recorded = await names.RecordAsync(uploads, cancellationToken);

        FaultPoint.Reach(FaultPoints.PendingRecorded);
        var options = new ParallelOptions { MaxDegreeOfParallelism = atOnce, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(recorded, options, async (one, token) =>
        {
            var uploaded = await PutAsync(one, token);
            if (uploaded is { Refusal: not null, Planned.Members.Count: > 1 })
            {
                // Which session it is, or whether it is only the size of all, is found by halves. The row of the whole stays pending, and
                // the end of the run settles it.
                settled?.Invoke(uploaded);
                foreach (var half in uploaded.Planned.Halve())
                    await StoreAsync(batch, [half], atOnce: 1, token);
                return;
            }
            FaultPoint.Reach(FaultPoints.ObjectStored);
            batch.Add(uploaded);
            settled?.Invoke(uploaded);
        });
    }

    private async Task<bool> RefusesOverwriteAsync(PlannedObject planned, CancellationToken cancellationToken)
    {
        try
        {
            return await store.RefusesOverwriteAsync(run.Source.Prefix, planned.Content.Length, cancellationToken);
        }
        catch (ObjectRefusedException)
        {
            // Not even the probe goes by such an upload. So nothing is proven, and the object's own put says what is wrong.
            return false;
        }
    }

    private async Task<UploadedObject> PutAsync(RecordedUpload recorded, CancellationToken cancellationToken)
    {
        var (id, key, upload) = recorded;
        for (var conflicts = 0; conflicts < MaxConflicts; conflicts++)
        {
            PutResult result;
            try
            {
                result = await store.PutIfAbsentAsync(key, upload.Planned.Content, Metadata(upload), cancellationToken);
            }
            catch (ObjectRefusedException refusal)
            {
                // What the store does not take must not stop the others run after run. Where it takes nothing at all, so many failures in
                // a row end the run.
                return new(id, key, VersionId: null, upload.Planned, refusal);
            }
            if (result.Stored)
                return new(id, key, result.VersionId, upload.Planned);
            // Somebody's object is there and the ledger did not know: it is left alone, and the row is renamed before the next put,
            // so that at no time an object of ours exists that no row names.
            key = await names.RenameAsync(id, upload, cancellationToken);
        }
        throw new StorageException(
            StorageFailure.Permanent,
            $"{MaxConflicts} names in a row, the last one {key}, are taken by objects that the ledger does not know. Was the ledger lost? "
                + "See: archiver ledger rebuild"
        );
    }

    private ObjectMetadata Metadata(PlannedUpload upload) =>
        new()
        {
            LedgerId = run.Database.LedgerId,
            SystemId = run.Database.SystemId,
            Database = run.Database.Database,
            Source = run.Source.Name,
            Run = run.Id.ToString(),
            Attempt = upload.Attempt,
        };
}
