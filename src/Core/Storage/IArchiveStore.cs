using Archiver.Core.Diagnostics;
using Archiver.Core.Spool;

namespace Archiver.Core.Storage;

/// <summary>The whole store. An object is never overwritten: the only way to write is put if absent.</summary>
public interface IArchiveStore : IArchiveReader
{
    /// <summary>
    /// Whether the server was proven, by a probe of this very bucket and upload kind, to refuse a put onto a key that exists.
    /// Where it is false the caller must use a key that nobody else can choose (docs/protocol.md rule 20).
    /// The probe runs once per upload kind and leaves one small object under <c>{prefix}/.archiver/</c>.
    /// </summary>
    /// <exception cref="ObjectRefusedException">The store takes no object of this upload kind; it may take others.</exception>
    /// <exception cref="StorageException">Server down, bucket missing, wrong keys or no permission.</exception>
    Task<bool> RefusesOverwriteAsync(string prefix, long length, CancellationToken cancellationToken);

    /// <summary>
    /// Stores the content under a key that must be absent. An object that already carries this content's
    /// <see cref="ObjectMetadata.Attempt"/> is this very put, whose answer was lost: it counts as stored.
    /// </summary>
    /// <exception cref="ObjectRefusedException">The store takes no such object; it may take others.</exception>
    /// <exception cref="StorageException">The outcome is a failure or stays unknown.</exception>
    Task<PutResult> PutIfAbsentAsync(string key, IObjectContent content, ObjectMetadata metadata, CancellationToken cancellationToken);

    /// <summary>
    /// Removes every version and delete marker of the keys, as many as there are, and confirms that they are absent: not only does no
    /// listing find them, the key, each version that was listed and the version that a name gives were asked for and are not there. Runs
    /// never call this.
    /// </summary>
    /// <param name="names">The keys, each with the version that the ledger knows, if any.</param>
    /// <param name="cancellationToken">Gives up; what was removed stays so.</param>
    /// <returns>What is not confirmed gone (object lock, permission, no answer) is a failure with its reason, never an exception.</returns>
    Task<RemovalOutcome> DeleteAllVersionsAsync(IReadOnlyCollection<ObjectName> names, CancellationToken cancellationToken);

    /// <summary>The store's own rules by which it removes objects; none where it has no such thing.</summary>
    /// <exception cref="StorageException">Not permitted, or the store cannot say or failed.</exception>
    Task<IReadOnlyList<ExpiryRule>> ListExpiryRulesAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Ends uploads under the prefix that are ours by their key, began longer ago than <paramref name="age"/> and never became an object,
    /// such as a killed worker's. Runs never call this.
    /// </summary>
    /// <returns>How many there were.</returns>
    /// <exception cref="StorageException">The store failed.</exception>
    Task<int> AbortUploadsAsync(
        string prefix,
        TimeSpan age,
        Func<string, CancellationToken, Task<bool>> isOurs,
        CancellationToken cancellationToken
    );
}
