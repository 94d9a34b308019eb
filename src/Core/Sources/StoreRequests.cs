using System.Collections.Concurrent;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Npgsql;

namespace Archiver.Core.Sources;

/// <summary>
/// Counts the requests that this process sends to the store, and adds them to the ledger of the source under whose prefix they went. One
/// that names no prefix, such as a look at the bucket's rules, counts for the first source.
/// </summary>
internal sealed class StoreRequests(ArchiverSettings settings, ConnectionCatalog connections)
{
    private const string Add = """
        INSERT INTO archiver.store_requests AS r (source, requests) VALUES ($1, $2)
        ON CONFLICT (source) DO UPDATE SET requests = r.requests + excluded.requests
        """;

    private const string Exists = "SELECT to_regclass('archiver.store_requests') IS NOT NULL";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    // The longest first: one prefix may begin as another does.
    private readonly SourceSettings[] _sources = [.. settings.Sources.OrderByDescending(s => s.Prefix.Length)];
    private readonly ConcurrentDictionary<string, long> _pending = new(StringComparer.Ordinal);

    /// <summary>A request is sent.</summary>
    public void Count(Uri request)
    {
        var (path, query) = (Uri.UnescapeDataString(request.AbsolutePath), Uri.UnescapeDataString(request.Query));
        var source = Array.Find(_sources, s =>
            path.StartsWith($"/{s.Prefix}/", StringComparison.Ordinal)
            || path.StartsWith($"/{settings.Storage.Bucket}/{s.Prefix}/", StringComparison.Ordinal)
            || query.Contains($"prefix={s.Prefix}/", StringComparison.Ordinal)
        ) ?? settings.Sources[0];
        _pending.AddOrUpdate(source.Name, 1, (_, n) => n + 1);
    }

    /// <summary>
    /// Adds what was counted since the last time to the ledger; what cannot be written is kept for the next time. Not cancellable: a run
    /// that was stopped has sent its requests.
    /// </summary>
    public async Task RecordAsync(SourceSettings source)
    {
        if (!_pending.TryRemove(source.Name, out var requests))
            return;
        var written = false;
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await using var connection = await connections[source.Name].OpenAsync(patience.Token);
            if (await connection.ScalarAsync<bool>(Exists, patience.Token))
                await connection.ExecuteAsync(Add, patience.Token, PgParameter.Text(source.Name), PgParameter.Bigint(requests));
            written = true;
        }
        catch (Exception exception)
            when (exception
                    is NpgsqlException
                        or TimeoutException
                        or IOException
                        or System.Net.Sockets.SocketException
                        or OperationCanceledException
            )
        {
            // Only a sum of costs: no run fails for it.
        }
        finally
        {
            if (!written)
                _pending.AddOrUpdate(source.Name, requests, (_, n) => n + requests);
        }
    }
}
