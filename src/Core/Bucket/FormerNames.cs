using System.Security.Cryptography;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Core.Storage;

namespace Archiver.Core.Bucket;

/// <summary>
/// The names that a source had, as small objects beside its archives: documents and the hashes of tombstones carry the name of their time,
/// and the ledger that knows of the renaming may be lost.
/// </summary>
internal sealed class FormerNames
{
    private const string Extension = ".json.gz";

    private FormerNames(IReadOnlyList<string> all) => All = all;

    /// <summary>Every name, today's first; with the spellings that counted as names of their own once.</summary>
    public IReadOnlyList<string> All { get; }

    /// <summary>Whether a document with this name is the source's.</summary>
    public bool Contains(string name) => All.Any(n => Names.Same(n, name));

    /// <summary>Today's name and those in the bucket.</summary>
    /// <exception cref="StorageException">The store does not answer or refuses.</exception>
    public static async Task<FormerNames> LoadAsync(IArchiveReader store, SourceSettings source, CancellationToken cancellationToken)
    {
        var (folder, name) = (Folder(source.Prefix), source.Name);
        List<string> names = [name, name.ToUpperInvariant(), char.ToUpperInvariant(name[0]) + name[1..]];
        await foreach (var listed in new AllObjects(store).ListAsync(folder, cancellationToken))
        {
            if (listed.Key.EndsWith(Extension, StringComparison.Ordinal))
                names.Add(Uri.UnescapeDataString(listed.Key[folder.Length..^Extension.Length]));
        }
        return new([.. names.Distinct(StringComparer.Ordinal)]);
    }

    /// <summary>Notes a name that the source had until now.</summary>
    /// <exception cref="StorageException">It could not be stored.</exception>
    public static async Task AddAsync(
        IArchiveStore store,
        SourceSettings source,
        string former,
        DatabaseIdentity database,
        CancellationToken cancellationToken
    )
    {
        var metadata = new ObjectMetadata
        {
            LedgerId = database.LedgerId,
            SystemId = database.SystemId,
            Database = database.Database,
            Source = source.Name,
            Run = Guid.Empty.ToString(),
            Attempt = RandomNumberGenerator.GetHexString(32, lowercase: true),
        };
        var content = GzipText.Of("""{"format":"archiver.former-name/1"}""");
        await store.RefusesOverwriteAsync(source.Prefix, content.Length, cancellationToken);
        await store.PutIfAbsentAsync(
            $"{Folder(source.Prefix)}{Uri.EscapeDataString(former)}{Extension}",
            content,
            metadata,
            cancellationToken
        );
    }

    private static string Folder(string prefix) => $"{prefix}/.archiver/names/";
}
