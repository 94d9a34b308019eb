using System.Net.Sockets;
using Archiver.Core.Bucket;
using Archiver.Core.Diagnostics;
using Archiver.Core.Documents;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Spool;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Query;

/// <summary>
/// The archives that a question is about, in all its sources: counted first, then noted in the audit, and only then fetched. What was
/// erased or discarded before the answer is complete is not answered with.
/// </summary>
internal sealed class ArchiveSelection(ArchiverSettings settings, ConnectionCatalog connections, IArchiveReader store)
{
    private readonly List<(QueryFilter Filter, QueriedArchives Archives, QueryEstimate Estimate)> _parts = [];

    /// <summary>All that would be fetched.</summary>
    public QueryEstimate Estimate => _parts.Aggregate(new QueryEstimate(0, 0, 0), (sum, p) => sum + p.Estimate);

    /// <summary>Counts what one more source has. One without a ledger has nothing.</summary>
    /// <exception cref="ArchiverException">The filter is no value of the source's columns, or the server failed.</exception>
    public Task AddAsync(QueryFilter filter, CancellationToken cancellationToken) =>
        WithAsync(
            filter.Source,
            async connection =>
            {
                if (!await Migrator.ExistsAsync(connection, cancellationToken))
                    return;
                await RunScope.PrepareLedgerAsync(connection, settings.AutoMigrate, cancellationToken);
                var source = await OptionalParts.OfNowAsync(connection, connections[filter.Source].Source, cancellationToken);
                await SourceRegistry.CheckAsync(connection, source, cancellationToken);
                var archives = await QueriedArchives.PrepareAsync(connection, source.Map, filter, cancellationToken);
                _parts.Add((filter, archives, await archives.ChooseAsync(connection, cancellationToken)));
            },
            cancellationToken
        );

    /// <summary>The tables of sources as they are now.</summary>
    public async Task<IReadOnlyList<SourceShape>> ShapesAsync(IEnumerable<string> sources, CancellationToken cancellationToken)
    {
        List<SourceShape> shapes = [];
        foreach (var source in sources)
        {
            await WithAsync(
                source,
                async connection => shapes.Add(await TableDescriber.DescribeAsync(connection, connections[source].Map, cancellationToken)),
                cancellationToken
            );
        }
        return shapes;
    }

    /// <summary>
    /// Notes who reads which archives. What was asked is not noted: a text that somebody looks for, or a condition, is as personal as a
    /// chat.
    /// </summary>
    /// <param name="who">The person at the command line, or the status page.</param>
    /// <param name="action">The verb.</param>
    /// <param name="cancellationToken">Stops it; then nothing is noted.</param>
    public async Task AuditAsync(string who, string action, CancellationToken cancellationToken)
    {
        foreach (var (filter, archives, estimate) in _parts)
        {
            await WithAsync(
                filter.Source,
                async connection =>
                {
                    await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
                    var counts = new Dictionary<string, long>
                    {
                        ["archives"] = estimate.Archives,
                        ["objects"] = estimate.Objects,
                        ["bytes"] = estimate.Bytes,
                    };
                    var entry = await AuditLog.WriteAsync(connection, new(who, action, filter.Source, Counts: counts), cancellationToken);
                    await archives.AuditAsync(connection, entry, cancellationToken);
                    await transaction.CommitAsync(cancellationToken);
                },
                cancellationToken
            );
        }
    }

    /// <summary>How a source's tables are mapped.</summary>
    public SourceMap MapOf(string source) => connections[source].Map;

    /// <summary>Fetches everything.</summary>
    /// <param name="take">Gets members that were compared, with their bytes as stored, which are valid until it returns.</param>
    /// <param name="progress">Told of each document.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="ArchiverException">A document is missing or damaged; the message names it.</exception>
    /// <exception cref="StorageException">The store does not answer or refuses.</exception>
    public async Task FetchAsync(
        Func<IReadOnlyList<(QueriedArchive Archive, DocumentHeader Header)>, SpooledContent, CancellationToken, Task> take,
        IProgress<RunProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        var fetcher = new DocumentFetcher(store, take, settings.Storage.UploadConcurrency);
        var (total, done) = (Estimate.Archives, 0L);
        progress?.Report(new(total, 0));
        foreach (var (filter, archives, _) in _parts.Where(p => p.Estimate.Archives > 0))
        {
            var source = connections[filter.Source];
            var erased = TombstoneSet.Empty;
            await WithAsync(
                filter.Source,
                async connection => erased = await new TombstoneReader(store).LoadAsync(source.Source, connection, cancellationToken),
                cancellationToken
            );
            await fetcher.RunAsync(
                archives.PagesAsync(source, cancellationToken),
                erased,
                n => progress?.Report(new(total, Interlocked.Add(ref done, n))),
                cancellationToken
            );
        }
    }

    /// <summary>Makes sure, before anything is shown, that nothing of it was erased meanwhile.</summary>
    /// <exception cref="ArchiverException">Something was erased, discarded or moved.</exception>
    public async Task RequireStillThereAsync(CancellationToken cancellationToken)
    {
        foreach (var (filter, archives, estimate) in _parts)
        {
            await WithAsync(
                filter.Source,
                async connection =>
                {
                    var left = await archives.StillThereAsync(connection, cancellationToken);
                    if (left == estimate.Archives)
                        return;
                    throw new ArchiverException(
                        FailureKind.Failed,
                        $"Archives of source '{filter.Source}' were erased, discarded or replaced while this was answered "
                            + $"({estimate.Archives} before, {left} now), so there is no answer. Ask again."
                    );
                },
                cancellationToken
            );
        }
    }

    private async Task WithAsync(string source, Func<NpgsqlConnection, Task> work, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await connections[source].OpenAsync(cancellationToken);
            await work(connection);
        }
        catch (Exception exception) when (exception is NpgsqlException or SocketException or TimeoutException)
        {
            throw await connections[source].ForPersonAsync(exception);
        }
    }
}
