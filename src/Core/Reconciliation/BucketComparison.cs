using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Reconciliation;

/// <summary>Lays the listing of a prefix and the ledger's objects side by side, both in the order of their keys, page by page.</summary>
internal sealed class BucketComparison(NpgsqlConnection connection, IArchiveReader store, SourceSettings source)
{
    private const int PageSize = 5000;

    // Of every source: two sources may share a ledger, and what another one recorded is not unrecorded.
    private const string Page = """
        SELECT o.key, o.state, o.source = $2
        FROM archiver.objects AS o
        WHERE o.location = $1 AND o.key > $3 AND o.key >= $4 AND o.key < $5
        ORDER BY o.key
        LIMIT $6
        """;

    /// <summary>Keys in the store that no row names.</summary>
    public List<string> Unrecorded { get; } = [];

    /// <summary>Keys of stored objects that are not in the store.</summary>
    public List<string> Missing { get; } = [];

    public async Task CompareAsync(CancellationToken cancellationToken)
    {
        await using var listed = store.ListAsync($"{source.Prefix}/", cancellationToken).GetAsyncEnumerator(cancellationToken);
        await using var recorded = RecordedAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
        var (hasListed, hasRecorded) = (await listed.MoveNextAsync().ConfigureAwait(false), await recorded.MoveNextAsync().ConfigureAwait(false));
        while (hasListed || hasRecorded)
        {
            var order = !hasListed ? 1 : !hasRecorded ? -1 : string.CompareOrdinal(listed.Current.Key, recorded.Current.Key);
            if (order < 0 && BucketScan.IsArchiveKey(source.Prefix, listed.Current.Key))
                Unrecorded.Add(listed.Current.Key);
            if (order > 0 && recorded.Current is { State: "stored", IsOurs: true })
                Missing.Add(recorded.Current.Key);
            if (order <= 0)
                hasListed = await listed.MoveNextAsync().ConfigureAwait(false);
            if (order >= 0)
                hasRecorded = await recorded.MoveNextAsync().ConfigureAwait(false);
        }
    }

    private async IAsyncEnumerable<(string Key, string State, bool IsOurs)> RecordedAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var after = "";
        while (true)
        {
            var page = await connection.QueryAsync(
                Page, row => (Key: row.GetString(0), State: row.GetString(1), IsOurs: row.GetBoolean(2)), cancellationToken,
                PgParameter.Text(store.Location), PgParameter.Text(source.Name), PgParameter.Text(after),
                PgParameter.Text($"{source.Prefix}/"), PgParameter.Text($"{source.Prefix}0"), PgParameter.Int(PageSize)).ConfigureAwait(false);
            foreach (var row in page)
                yield return row;
            if (page.Count < PageSize)
                yield break;
            after = page[^1].Key;
        }
    }
}
