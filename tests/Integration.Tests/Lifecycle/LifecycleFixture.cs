using Amazon.S3;
using Amazon.S3.Model;
using Archiver.Core.Discard;
using Archiver.Core.Erasure;
using Archiver.Core.Holds;
using Archiver.Core.Ledger;
using Archiver.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>Holds, discards and erasures of an <see cref="ArchiverFixture"/>, as the command line would do them.</summary>
internal static class LifecycleFixture
{
    public static async Task<IReadOnlyList<long>> HoldAsync(
        this ArchiverFixture archiver,
        HoldRequest request,
        CancellationToken cancellationToken
    )
    {
        await using (var connection = await archiver.Connections.OpenAsync(cancellationToken))
            await RunScope.PrepareLedgerAsync(connection, migrate: true, cancellationToken);
        return await LegalHolds.AddAsync(archiver.Connections, archiver.Source, request, "test", cancellationToken);
    }

    public static Task<HoldCoverage> CountHeldAsync(this ArchiverFixture archiver, CancellationToken cancellationToken) =>
        LegalHolds.CountAsync(archiver.Connections, archiver.Source, only: null, TimeSpan.FromMinutes(1), cancellationToken);

    public static Task<DiscardReport> PlanDiscardAsync(this ArchiverFixture archiver, CancellationToken cancellationToken) =>
        Discarder(archiver).PlanAsync(archiver.Source, cancellationToken);

    public static Task<DiscardReport> DiscardAsync(this ArchiverFixture archiver, CancellationToken cancellationToken) =>
        Discarder(archiver).RunAsync(archiver.Source, "test", cancellationToken);

    /// <summary>Locks the newest version of an object: <c>hold</c>, <c>governance</c> or <c>compliance</c>.</summary>
    public static Task LockAsync(this TestBucket bucket, string key, string how, CancellationToken cancellationToken) =>
        how == "hold"
            ? bucket.SetLegalHoldAsync(key, ObjectLockLegalHoldStatus.On, cancellationToken)
            : bucket.Client.PutObjectRetentionAsync(
                new PutObjectRetentionRequest
                {
                    BucketName = bucket.Name,
                    Key = key,
                    Retention = new ObjectLockRetention
                    {
                        Mode = ObjectLockRetentionMode.FindValue(how.ToUpperInvariant()),
                        RetainUntilDate = TimeProvider.System.GetUtcNow().UtcDateTime.AddDays(1),
                    },
                },
                cancellationToken
            );

    /// <summary>Puts an object on S3's own legal hold, or lifts it.</summary>
    public static Task SetLegalHoldAsync(
        this TestBucket bucket,
        string key,
        ObjectLockLegalHoldStatus status,
        CancellationToken cancellationToken
    ) =>
        bucket.Client.PutObjectLegalHoldAsync(
            new PutObjectLegalHoldRequest
            {
                BucketName = bucket.Name,
                Key = key,
                LegalHold = new ObjectLockLegalHold { Status = status },
            },
            cancellationToken
        );

    private static Discarder Discarder(ArchiverFixture archiver) =>
        new(archiver.Settings, archiver.Catalog, archiver.Store, TimeProvider.System, NullLogger<Discarder>.Instance);

    public static Task<EraseReceipt> PlanEraseAsync(
        this ArchiverFixture archiver,
        EraseRequest request,
        CancellationToken cancellationToken
    ) => Eraser(archiver).PlanAsync(archiver.Source, request, cancellationToken);

    public static Task<EraseReceipt> EraseAsync(this ArchiverFixture archiver, EraseRequest request, CancellationToken cancellationToken) =>
        Eraser(archiver).RunAsync(archiver.Source, request, "test", cancellationToken);

    private static Eraser Eraser(ArchiverFixture archiver) =>
        new(archiver.Settings, archiver.Catalog, archiver.Store, TimeProvider.System, NullLogger<Eraser>.Instance);
}
