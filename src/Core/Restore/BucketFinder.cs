using System.Text.RegularExpressions;
using Archiver.Core.Storage;
using Archiver.Core.Upload;

namespace Archiver.Core.Restore;

/// <summary>
/// Finds documents by the names of their objects alone, for a database that has no ledger. It reads the whole listing of the prefix, and
/// finds no member of a bundle: those want <c>ledger rebuild</c>.
/// </summary>
internal sealed partial class BucketFinder(IArchiveReader store, string prefix)
{
    /// <summary>For each id the object that was written last; ids without one are left out.</summary>
    public async Task<IReadOnlyList<RestoreCandidate>> FindAsync(IReadOnlyList<string> ids, CancellationToken cancellationToken)
    {
        var wanted = ids.Distinct(StringComparer.Ordinal).ToDictionary(ObjectKey.Encode, id => id, StringComparer.Ordinal);
        Dictionary<string, (ListedObject Listed, int Generation)> found = new(StringComparer.Ordinal);
        await foreach (var listed in store.ListAsync($"{prefix}/", cancellationToken).ConfigureAwait(false))
        {
            if (SessionKey().Match(listed.Key[prefix.Length..]) is not { Success: true } name || !wanted.TryGetValue(name.Groups["id"].Value, out var id))
                continue;
            // A generation orders objects; a nonce does not, so there the time decides.
            var generation = int.TryParse(name.Groups["suffix"].Value, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number) ? number : 1;
            if (!found.TryGetValue(id, out var best) || generation > best.Generation || (generation == best.Generation && listed.LastModified > best.Listed.LastModified))
                found[id] = (listed, generation);
        }
        return [.. found.Select(f => new RestoreCandidate(f.Key, new ObjectName(f.Value.Listed.Key), null))];
    }

    [GeneratedRegex(@"^/\d{4,}/\d{2}/(?<id>[A-Za-z0-9._%-]+)(~(?<suffix>[0-9a-f]+))?\.json\.gz$", RegexOptions.ExplicitCapture)]
    private static partial Regex SessionKey();
}
