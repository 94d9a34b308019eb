using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Npgsql;

namespace Archiver.Core.Status;

/// <summary>What a source's archive keeps and asks of the store, and what that costs where prices are configured.</summary>
/// <param name="Bytes">Bytes of its stored objects; versions that a bucket keeps beside them are not known.</param>
/// <param name="Objects">How many these are.</param>
/// <param name="Requests">Requests that workers and runs sent; null while none was counted, as with a folder.</param>
/// <param name="Since">Since when they are counted.</param>
/// <param name="StorageAMonth">Of the bytes kept, a month; null without a price.</param>
/// <param name="RequestsInAll">Of the requests since then; null without a price.</param>
/// <param name="Currency">What both are in; null without a price.</param>
internal sealed record CostStatus(
    long Bytes,
    long Objects,
    long? Requests,
    DateTimeOffset? Since,
    decimal? StorageAMonth,
    decimal? RequestsInAll,
    string? Currency
)
{
    private const string Kept = """
        SELECT coalesce(sum(o.length), 0)::bigint, count(*), (SELECT r.requests FROM archiver.store_requests AS r WHERE r.source = $1),
               (SELECT r.since FROM archiver.store_requests AS r WHERE r.source = $1)
        FROM archiver.objects AS o
        WHERE o.source = $1 AND o.state = 'stored'
        """;

    public static async Task<CostStatus> ReadAsync(
        NpgsqlConnection connection,
        string source,
        CostSettings prices,
        CancellationToken cancellationToken
    )
    {
        var (bytes, objects, requests, since) = (
            await connection.QueryAsync(
                Kept,
                row =>
                    (
                        row.GetInt64(0),
                        row.GetInt64(1),
                        row.IsDBNull(2) ? (long?)null : row.GetInt64(2),
                        row.IsDBNull(3) ? (DateTimeOffset?)null : row.GetFieldValue<DateTimeOffset>(3)
                    ),
                cancellationToken,
                PgParameter.Text(source)
            )
        )[0];
        decimal? storage = prices.PricePerGBMonth is { } aMonth ? Round(bytes / 1_000_000_000m * aMonth) : null;
        decimal? asked = prices.PricePer1000Requests is { } aThousand && requests is { } n ? Round(n / 1000m * aThousand) : null;
        return new(bytes, objects, requests, since, storage, asked, (storage ?? asked) is null ? null : prices.Currency);
    }

    private static decimal Round(decimal amount) => Math.Round(amount, 4);
}
