using Archiver.Core.Ledger;
using Archiver.Core.Sources;

namespace Archiver.Core.Upload;

/// <summary>Names of objects that are to be stored: chosen by the layout, and in the ledger before an object has them.</summary>
internal sealed class PendingNames(IObjectLayout layout, ArchiveLedger ledger, DatabaseRetry retry)
{
    /// <summary>Chooses a key for each upload and records it as pending.</summary>
    public Task<(IReadOnlyList<string> Keys, IReadOnlyList<long> Ids)> RecordAsync(
        IReadOnlyList<PlannedUpload> uploads,
        CancellationToken cancellationToken
    ) => retry.ExecuteAsync(token => RecordOnceAsync(uploads, token), cancellationToken);

    /// <summary>Chooses another key for an object whose own was taken, and records that.</summary>
    public Task<string> RenameAsync(long id, PlannedUpload upload, CancellationToken cancellationToken) =>
        retry.ExecuteAsync(token => RenameOnceAsync(id, upload, token), cancellationToken);

    // As a whole: where it is not known whether the rows were committed, their names count as taken and others are chosen.
    private async Task<(IReadOnlyList<string> Keys, IReadOnlyList<long> Ids)> RecordOnceAsync(
        IReadOnlyList<PlannedUpload> uploads,
        CancellationToken cancellationToken
    )
    {
        var keys = await layout.ChooseKeysAsync(uploads, cancellationToken);
        var ids = await ledger.RecordPendingAsync(
            [
                .. uploads.Zip(keys, (u, key) =>
                    new PendingObject(
                        key,
                        u.Attempt,
                        layout.Name,
                        [.. u.Planned.Members.Select(m => m.Session.Key)],
                        u.Planned.Content.Length,
                        u.Planned.Content.Sha256.ToArray()
                    )
                ),
            ],
            cancellationToken
        );
        return (keys, ids);
    }

    private async Task<string> RenameOnceAsync(long id, PlannedUpload upload, CancellationToken cancellationToken)
    {
        var key = (await layout.ChooseKeysAsync([upload], cancellationToken))[0];
        await ledger.RenamePendingAsync(id, key, cancellationToken);
        return key;
    }
}
