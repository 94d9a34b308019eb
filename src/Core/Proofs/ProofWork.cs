using Archiver.Core.Diagnostics;
using Archiver.Core.Documents;
using Archiver.Core.Postgres;
using Archiver.Core.Reconciliation;
using Archiver.Core.Settings;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Archiver.Core.Proofs;

/// <summary>
/// Does a scheduled proof by the code of its verb. Verifications and drills walk over the whole archive, part by part, and read again each
/// time what was damaged before.
/// </summary>
internal sealed class ProofWork(
    ArchiverSettings settings,
    ArchiveVerifier verifier,
    Reconciler reconciler,
    TimeProvider time,
    ILogger<ProofRunner> logger
)
{
    private const string Objects = "SELECT count(*) FROM archiver.objects AS o WHERE o.source = $1 AND o.state = 'stored'";

    private static readonly ReadProblem[] WhenRead =
    [
        ReadProblem.Missing,
        ReadProblem.Hidden,
        ReadProblem.Changed,
        ReadProblem.Unreadable,
        ReadProblem.NeedsThawing,
        ReadProblem.Denied,
        ReadProblem.Failing,
    ];

    /// <summary>Null when another worker runs on the source.</summary>
    public Task<ProofResult?> ProveAsync(
        NpgsqlConnection connection,
        SourceSettings source,
        Proof proof,
        string who,
        CancellationToken cancellationToken
    ) =>
        proof switch
        {
            Proof.Verify => ReadAsync(connection, source, proof, settings.Schedule.VerifySample, cancellationToken),
            Proof.RestoreDrill => ReadAsync(connection, source, proof, settings.Schedule.RestoreDrillSample, cancellationToken),
            Proof.Reconcile => ReconcileAsync(connection, source, who, cancellationToken),
            _ => throw new ArgumentOutOfRangeException(nameof(proof), proof, "No such proof."),
        };

    private async Task<ProofResult?> ReadAsync(
        NpgsqlConnection connection,
        SourceSettings source,
        Proof proof,
        SampleSize sample,
        CancellationToken cancellationToken
    )
    {
        var most = sample.From(await ReadableArchives.CountAsync(connection, source.Name, cancellationToken));
        var after = await ProofRecords.PositionAsync(connection, source.Name, proof, cancellationToken);
        var (count, through, isLast) = await ReadableArchives.NextAsync(connection, source.Name, after, most, cancellationToken);
        var damaged = await DamageRecords.KnownAsync(connection, source.Name, proof, most, cancellationToken);
        var drill = proof == Proof.RestoreDrill;
        var report = await verifier.VerifyAsync(
            new VerifyOptions(source.Name, Sample: null, RestoreDrill: drill ? int.MaxValue : 0)
            {
                Range = new(after, through, damaged, count + damaged.Count),
            },
            progress: null,
            cancellationToken
        );
        var found = new SortedDictionary<string, long>(
            (drill ? [.. WhenRead, ReadProblem.Refused] : WhenRead).ToDictionary(DamageRecords.Word, p =>
                report.Problems.LongCount(f => f.Problem == p)
            ),
            StringComparer.Ordinal
        );
        if (report.DrilledAside > 0)
            logger.DrilledAside(report.DrilledAside, report.Drilled, source.Name);
        return new(report.Checked, found, isLast ? 0 : through, report.Elapsed.TotalSeconds);
    }

    private async Task<ProofResult?> ReconcileAsync(
        NpgsqlConnection connection,
        SourceSettings source,
        string who,
        CancellationToken cancellationToken
    )
    {
        var started = time.GetTimestamp();
        var objects = await connection.ScalarAsync<long>(Objects, cancellationToken, PgParameter.Text(source.Name));
        if (await reconciler.TryRunAsync(source.Name, fix: false, who, cancellationToken) is not { } report)
            return null;
        var found = new SortedDictionary<string, long>(StringComparer.Ordinal)
        {
            ["missing"] = report.Missing.Count,
            ["hidden"] = report.Hidden.Count,
            ["returned"] = report.Returned.Count,
            ["copies"] = report.Copies.Count,
            ["elsewhere"] = report.Elsewhere.Values.Sum(),
            ["foreign"] = report.Foreign.Count,
            ["unreadable"] = report.Unreadable.Count,
            ["unrecorded"] = report.Unrecorded.Count,
            ["live_and_archived"] = report.LiveAndArchived.Count,
            ["deleted_since"] = report.DeletedSince.Count,
            ["orphans"] = report.Orphans.Values.Sum(),
        };
        return new(objects, found, Position: 0, time.GetElapsedTime(started).TotalSeconds);
    }
}
