using Archiver.Core.Diagnostics;
using Archiver.Core.Spool;

namespace Archiver.Core.Storage;

/// <summary>
/// Tells one object that cannot be read from a store that cannot: others need not suffer from a key of its encryption that is disabled, or
/// from a disk of the store that is broken where it lies.
/// </summary>
internal static class ObjectFailure
{
    /// <summary>What is wrong with the object, or null when it is the store, who asks, or this machine.</summary>
    /// <param name="store">The reading side.</param>
    /// <param name="prefix">Of the archives: what the archiver keeps beside them must be given.</param>
    /// <param name="failure">Of reading the object, when trying again was given up.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<string?> DescribeAsync(
        IArchiveReader store,
        string? prefix,
        StorageException failure,
        CancellationToken cancellationToken
    ) =>
        failure is SpoolException ? null
        : failure.Failure == StorageFailure.NeedsThawing ? "its object is in a cold storage class and must be thawed first"
        : prefix is null || !await GivesOthersAsync(store.Once, prefix, cancellationToken) ? null
        : failure.Failure == StorageFailure.Permanent ? $"the store refuses its object and gives others: {failure.Message}"
        : $"the store fails each time its object is read, and gives others: {failure.Message}";

    /// <summary>Whether it gives one of the small objects that the archiver keeps beside its archives.</summary>
    private static async Task<bool> GivesOthersAsync(IArchiveReader store, string prefix, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var listed in store.ListAsync($"{prefix}/.archiver/", cancellationToken))
            {
                await using var body = await store.OpenRangeAsync(new(listed.Key), 0, 1, cancellationToken);
                return body is not null && await body.ReadAsync(new byte[1], cancellationToken) == 1;
            }
        }
        catch (StorageException)
        {
            // It is the store, then.
        }
        return false;
    }
}
