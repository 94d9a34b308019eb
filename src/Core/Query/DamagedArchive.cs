using Archiver.Core.Diagnostics;
using Archiver.Core.Reading;
using Archiver.Core.Storage;

namespace Archiver.Core.Query;

/// <summary>What is said of an archive that cannot be read: a question is answered wholly or not at all.</summary>
internal sealed class DamagedArchive(IArchiveReader store)
{
    /// <summary>Its object is not there.</summary>
    public async Task<ArchiverException> MissingAsync(LocatedArchive archive, CancellationToken cancellationToken) =>
        new(
            FailureKind.Failed,
            await new AllObjects(store).FindOthersAsync(archive.Object, cancellationToken) is { Count: > 0 } left
                ? $"Object {archive.Object.Key} of session {archive.SessionId}: {AllObjects.Describe(store, archive.Object, left)}. There "
                    + "is no answer without it."
                : $"Object {archive.Object.Key} of session {archive.SessionId} is missing in {store.Location}. "
                    + "Unless it was erased or discarded just now, see: archiver verify --all. There is no answer without it."
        );

    /// <summary>Its bytes are not what was archived.</summary>
    public ArchiverException Changed(LocatedArchive archive, Exception? inner) =>
        new(
            FailureKind.Failed,
            $"Object {archive.Object.Key} in {store.Location} is damaged: its bytes are not what was archived for session "
                + $"{archive.SessionId} (generation {archive.Generation}). There is no answer without it; every damaged one: archiver "
                + "verify --all",
            inner
        );
}
