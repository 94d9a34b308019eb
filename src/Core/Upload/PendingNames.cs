using System.Security.Cryptography;
using Archiver.Core.Ledger;
using Archiver.Core.Sources;

namespace Archiver.Core.Upload;

/// <summary>Names of objects that are to be stored: chosen by the layout, and in the ledger before an object has them.</summary>
internal sealed class PendingNames(IObjectLayout layout, ArchiveLedger ledger, DatabaseRetry retry)
{
    /// <summary>Chooses a key for each object and records it as pending.</summary>
    /// <param name="objects">
    /// Each with whether the store was proven to refuse a put onto a key that exists.
    /// </param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<IReadOnlyList<RecordedUpload>> RecordAsync(
        IReadOnlyList<(PlannedObject Planned, bool RefusesOverwrite)> objects,
        CancellationToken cancellationToken
    ) => retry.ExecuteAsync(token => RecordOnceAsync(objects, token), cancellationToken);

    /// <summary>Chooses another key for an object whose own was taken, and records that.</summary>
    public Task<string> RenameAsync(long id, PlannedUpload upload, CancellationToken cancellationToken) =>
        retry.ExecuteAsync(token => RenameOnceAsync(id, upload, token), cancellationToken);

    // As a whole: where it is not known whether the rows were committed, their names count as taken and others are chosen. So each try has
    // nonces of its own, which are names, too.
    private async Task<IReadOnlyList<RecordedUpload>> RecordOnceAsync(
        IReadOnlyList<(PlannedObject Planned, bool RefusesOverwrite)> objects,
        CancellationToken cancellationToken
    )
    {
        List<PlannedUpload> uploads = [.. objects.Select(o => new PlannedUpload(o.Planned, NewAttempt(), o.RefusesOverwrite))];
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
        return [.. ids.Zip(keys, uploads).Select(r => new RecordedUpload(r.First, r.Second, r.Third))];
    }

    private static string NewAttempt() => RandomNumberGenerator.GetHexString(32, lowercase: true);

    private async Task<string> RenameOnceAsync(long id, PlannedUpload upload, CancellationToken cancellationToken)
    {
        var key = (await layout.ChooseKeysAsync([upload], cancellationToken))[0];
        await ledger.RenamePendingAsync(id, key, cancellationToken);
        return key;
    }
}
