using Archiver.Core.Bucket;
using Archiver.Core.Diagnostics;
using Archiver.Core.Documents;
using Archiver.Core.Ledger;
using Archiver.Core.Ownership;
using Archiver.Core.Postgres;
using Archiver.Core.Reconciliation;
using Archiver.Core.Settings;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Erasure;

/// <summary>
/// Objects under the source's prefix that the ledger does not know, in every version, also behind a delete marker: after a restore of the
/// database to an earlier time, after a lost ledger, or from somebody else. An erasure removes ours and names the others that may hold the
/// person.
/// </summary>
internal sealed class UnrecordedObjects(NpgsqlConnection connection, SourceSettings source, DatabaseIdentity database, IArchiveReader store)
{
    private const int Page = 1000;

    private const string NotRecorded = """
        SELECT n.key FROM unnest($1) AS n (key)
        WHERE NOT EXISTS (SELECT FROM archiver.objects AS o WHERE o.location = $2 AND o.key = n.key COLLATE "C")
        """;

    private readonly ObjectExaminer _examiner = new(store, source);
    private FormerNames? _names;
    private readonly ObjectOwner _owner = new(store, database);

    /// <summary>This ledger's, of this source.</summary>
    public List<FoundObject> Ours { get; } = [];

    /// <summary>Of this source, by their documents, and not this ledger's or database's; with the reason.</summary>
    public List<(FoundObject Found, string Reason)> Others { get; } = [];

    /// <summary>What cannot be read and may be ours, in one sentence an object.</summary>
    public List<string> Unreadable { get; } = [];

    /// <exception cref="StorageException">The store does not answer or refuses, also where versions may not be listed.</exception>
    public async Task ReadAsync(CancellationToken cancellationToken)
    {
        _names = await FormerNames.LoadAsync(store, source, cancellationToken);
        List<ListedVersions> page = [];
        await foreach (var listed in store.ListVersionsAsync($"{source.Prefix}/", cancellationToken))
        {
            if (!BucketScan.IsArchiveKey(source.Prefix, listed.Key))
                continue;
            page.Add(listed);
            if (page.Count < Page)
                continue;
            await ExamineAsync(page, cancellationToken);
            page.Clear();
        }
        await ExamineAsync(page, cancellationToken);
    }

    private async Task ExamineAsync(List<ListedVersions> page, CancellationToken cancellationToken)
    {
        var unknown = (
            await connection.QueryAsync(
                NotRecorded,
                row => row.GetString(0),
                cancellationToken,
                PgParameter.Texts(page.Select(l => l.Key)),
                PgParameter.Text(store.Location)
            )
        ).ToHashSet(StringComparer.Ordinal);
        foreach (var name in page.Where(l => unknown.Contains(l.Key)).SelectMany(l => l.Objects))
        {
            if (await _examiner.ExamineAsync(name, cancellationToken) is { } found)
                Judge(found);
        }
    }

    private void Judge(FoundObject found)
    {
        if (found.Problem is { } problem)
        {
            // Whose a damaged object is, only what is kept beside it says.
            var (system, name) = (
                found.Metadata.GetValueOrDefault(ObjectMetadata.SystemKey),
                found.Metadata.GetValueOrDefault(ObjectMetadata.SourceKey)
            );
            if (
                (system is null || database.Origins.Any(o => o.SystemId == system))
                && (name is null || _names!.Contains(Uri.UnescapeDataString(name)))
            )
                Unreadable.Add($"'{found.Key}', which the ledger does not know, cannot be read, so nobody can tell whose it is: {problem}");
            return;
        }
        if (found.Documents.Any(d => !_names!.Contains(d.Header.Source.Name)))
            return;
        if (_owner.WhyForeign(found) is not { } reason)
            Ours.Add(found);
        else if (
            found.LedgerId is { } ledger
            && !database.LedgerIds.Contains(ledger)
            && found.Documents.All(d => _owner.WhyForeign(d.Header.Source.SystemId, d.Header.Source.Database) is null)
        )
            Others.Add((found, "it is of this database and of another ledger, as after a lost one: archiver ledger rebuild, then again"));
        else
            Others.Add((found, reason));
    }
}
